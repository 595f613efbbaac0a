// name: foreign
// about: looks for a node of a label that kindred did not write, and counts the label's nodes
// parameters: none
// identifiers: label load
// returns: foreign, nodes
OPTIONAL MATCH (n:{{label}})
WHERE n.{{load}} IS NULL
WITH n LIMIT 1
RETURN n IS NOT NULL AS foreign, COUNT { (:{{label}}) } AS nodes
