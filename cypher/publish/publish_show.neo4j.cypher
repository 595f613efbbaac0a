// name: publish_show
// about: makes a publication the answer
// parameters: place (STRING) name of the publication
// parameters: properties (MAP) of the run, as the model has them
// identifiers: run
// returns: none
MATCH (p:kindred_Publication {place: $place})
SET p:{{run}}, p += $properties, p.kindred_active = true
