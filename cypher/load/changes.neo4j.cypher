// name: changes
// about: returns what loads that are done still change, in order, and how much that is
// parameters: none
// returns: note, count, size
MATCH (c:kindred_Change)
RETURN elementId(c) AS note, c.count AS count, c.size AS size
ORDER BY c.kindred_load, c.number
