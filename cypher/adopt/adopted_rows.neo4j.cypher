// name: adopted_rows
// about: returns what the elements of paths from these nodes hold, as text, in one record
// parameters: starts (LIST OF INTEGER) the server's own numbers of first nodes
// parameters: columns (LIST OF LIST) place among nodes, then relationships; and property
// identifiers: path
// returns: rows
MATCH p = {{path}}
WHERE id(first) IN $starts
WITH nodes(p) + relationships(p) AS elements
RETURN collect([c IN $columns | [v IN [elements[c[0]][c[1]]] |
  CASE WHEN v IS :: LIST<ANY> THEN [x IN v | toStringOrNull(x)] ELSE toStringOrNull(v) END][0]
]) AS rows
