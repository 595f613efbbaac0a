// name: sweep_nodes
// about: deletes the nodes of a label that a load wrote which did not finish
// parameters: load (INTEGER) number of the load
// parameters: most (INTEGER) nodes in one transaction
// identifiers: label
// returns: none
MATCH (n:{{label}}) WHERE n.kindred_load = $load
CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF $most ROWS
