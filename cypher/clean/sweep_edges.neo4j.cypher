// name: sweep_edges
// about: deletes the relationships of a type that a load wrote which did not finish
// parameters: load (INTEGER) number of the load
// parameters: most (INTEGER) relationships in one transaction
// identifiers: type
// returns: none
MATCH ()-[r:{{type}}]->() WHERE r.kindred_load = $load
CALL (r) { DELETE r } IN TRANSACTIONS OF $most ROWS
