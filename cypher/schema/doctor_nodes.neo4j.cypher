// name: doctor_nodes
// about: counts the nodes of a label, those that kindred did not write, and those of no load that is done
// parameters: loads (LIST OF INTEGER) numbers of the loads that are done
// identifiers: label load
// returns: nodes, foreign, stray
MATCH (n:{{label}})
RETURN count(n) AS nodes,
       count(CASE WHEN n.{{load}} IS NULL THEN 1 END) AS foreign,
       count(CASE WHEN n.{{load}} <> 0 AND NOT n.{{load}} IN $loads THEN 1 END) AS stray
