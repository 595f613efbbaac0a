// name: doctor_edges
// about: counts the relationships of a type that kindred wrote, what exports said of them, and those of no load that is done
// parameters: loads (LIST OF INTEGER) numbers of the loads that are done
// identifiers: type load said
// returns: edges, said, stray
MATCH ()-[r:{{type}}]->()
WHERE r.{{load}} IS NOT NULL
RETURN count(r) AS edges,
       coalesce(sum(CASE WHEN r.{{said}} IS NULL THEN 1 ELSE size(r.{{said}}) END), 0) AS said,
       count(CASE WHEN r.{{load}} <> 0 AND NOT r.{{load}} IN $loads THEN 1 END) AS stray
