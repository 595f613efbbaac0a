// name: remove_edges
// about: deletes relationships of a type that kindred wrote, some at a time
// parameters: most (INTEGER) most relationships
// identifiers: type
// returns: removed
MATCH ()-[r:{{type}}]->()
WHERE r.kindred_load IS NOT NULL
WITH r LIMIT $most
DELETE r
RETURN count(*) AS removed
