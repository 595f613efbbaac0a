// name: publish_begin
// about: makes the node that the communities of a run will stand at; nothing counts yet
// parameters: place (STRING) name of the publication
// returns: none
MERGE (p:kindred_Publication {place: $place})
ON CREATE SET p.kindred_load = 0
