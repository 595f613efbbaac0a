// name: drop_publication
// about: deletes the node of a publication that has no communities left
// parameters: place (STRING) its name
// returns: none
MATCH (p:kindred_Publication {place: $place})
WHERE NOT EXISTS { (p)<-[:kindred_OF]-() }
DETACH DELETE p
