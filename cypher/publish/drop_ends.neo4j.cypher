// name: drop_ends
// about: deletes nodes that a run made as ends of its edges and that have none left
// parameters: most (INTEGER) most nodes
// identifiers: label
// returns: dropped
MATCH (n:{{label}})
WHERE n.kindred_load = 0 AND NOT EXISTS { (n)--() }
WITH n LIMIT $most
DELETE n
RETURN count(*) AS dropped
