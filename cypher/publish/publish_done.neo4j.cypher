// name: publish_done
// about: says that nothing of a publication is left to do
// parameters: place (STRING) its name
// returns: none
MATCH (p:kindred_Publication {place: $place})
SET p.done = true
