// name: remove_nodes
// about: deletes nodes of a label that kindred wrote, some at a time
// parameters: all (BOOLEAN) the label itself says that kindred wrote them
// parameters: most (INTEGER) most nodes
// identifiers: label
// returns: removed
MATCH (n:{{label}})
WHERE $all OR n.kindred_load IS NOT NULL
WITH n LIMIT $most
DETACH DELETE n
RETURN count(*) AS removed
