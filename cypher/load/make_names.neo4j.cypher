// name: make_names
// about: makes the ends of mentions of names that no brand has declared, where they are missing
// parameters: name (LIST OF STRING) the names
// parameters: load (INTEGER) number of the load
// returns: none
UNWIND $name AS name
MERGE (n:kindred_Name {name: name})
ON CREATE SET n.kindred_load = $load
