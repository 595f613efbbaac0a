// name: publish_communities
// about: makes communities of a run
// parameters: place (STRING) name of the publication
// parameters: rows (LIST OF MAP) properties as the model has them
// identifiers: community
// returns: none
MATCH (p:kindred_Publication {place: $place})
UNWIND $rows AS row
CREATE (c:{{community}} {kindred_run: $place})-[:kindred_OF {kindred_load: 0}]->(p)
SET c += row
