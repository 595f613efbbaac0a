// name: publish_ends
// about: makes the nodes that hold the keys of a graph that is not kindred's, once each
// parameters: rows (LIST OF LIST) kindred's id, and the key in that graph
// identifiers: label id
// returns: none
UNWIND $rows AS row
MERGE (n:{{label}} { {{id}}: row[0] })
ON CREATE SET n.kindred_load = 0
SET n.key = row[1]
