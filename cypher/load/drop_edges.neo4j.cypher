// name: drop_edges
// about: deletes relationships that kindred wrote and that others have taken the place of
// parameters: rid (LIST OF STRING) element ids
// parameters: load (INTEGER) number of the load that replaced them
// returns: none
UNWIND $rid AS rid
MATCH ()-[r]->() WHERE elementId(r) = rid AND r.kindred_load <= $load
DELETE r
