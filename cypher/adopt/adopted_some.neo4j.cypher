// name: adopted_some
// about: says whether there is a path, and whether one holds a value in a property
// parameters: place (INTEGER) place among nodes, then relationships; null asks for the path
// parameters: property (STRING) name of the property; null asks for the path
// identifiers: path
// returns: some
RETURN EXISTS {
  MATCH p = {{path}}
  WITH nodes(p) + relationships(p) AS elements
  WHERE $place IS NULL OR elements[$place][$property] IS NOT NULL
  RETURN 1
} AS some
