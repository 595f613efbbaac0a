// name: publish_retire
// about: takes its name from the run that was the answer, for the one that follows
// parameters: place (STRING) name of the publication that follows; null where none does
// identifiers: run
// returns: none
MATCH (p:kindred_Publication:{{run}})
WHERE $place IS NULL OR p.place <> $place
REMOVE p:{{run}}, p.kindred_active
