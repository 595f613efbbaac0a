// name: adopted_starts
// about: returns the server's own numbers of the nodes that a path begins at
// parameters: none
// identifiers: start
// returns: node
MATCH {{start}}
RETURN id(first) AS node
