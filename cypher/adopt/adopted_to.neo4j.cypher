// name: adopted_to
// about: returns what paths that end at these keys hold, as text, in one record
// parameters: keys (LIST) keys of last nodes, as text and as numbers
// parameters: columns (LIST OF LIST) place among nodes, then relationships; and property
// identifiers: path key
// returns: rows
MATCH p = {{path}}
WHERE last.{{key}} IN $keys
WITH nodes(p) + relationships(p) AS elements
RETURN collect([c IN $columns | [v IN [elements[c[0]][c[1]]] |
  CASE WHEN v IS :: LIST<ANY> THEN [x IN v | toStringOrNull(x)] ELSE toStringOrNull(v) END][0]
]) AS rows
