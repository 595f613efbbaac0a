// name: adopted_kinds
// about: counts the nodes of each type of key
// parameters: property (STRING) the key
// identifiers: path
// returns: kind, nodes
MATCH {{path}}
RETURN valueType(first[$property]) AS kind, count(*) AS nodes
ORDER BY kind
