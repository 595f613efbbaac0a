// name: drop_run_edges
// about: deletes some relationships of the first communities of a publication
// parameters: place (STRING) name of the publication
// parameters: communities (INTEGER) how many communities are the first ones
// parameters: most (INTEGER) most relationships
// returns: dropped
MATCH (:kindred_Publication {place: $place})<-[:kindred_OF]-(c)
WITH c LIMIT $communities
MATCH (c)<-[r]-()
WITH r LIMIT $most
DELETE r
RETURN count(*) AS dropped
