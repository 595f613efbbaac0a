// name: drop_communities
// about: deletes the first communities of a publication, whose relationships are gone
// parameters: place (STRING) name of the publication
// parameters: communities (INTEGER) how many
// returns: dropped
MATCH (:kindred_Publication {place: $place})<-[:kindred_OF]-(c)
WITH c LIMIT $communities
DETACH DELETE c
RETURN count(*) AS dropped
