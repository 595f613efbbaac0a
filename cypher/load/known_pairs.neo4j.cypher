// name: known_pairs
// about: returns the relationships of a type between pairs of nodes
// parameters: starts (LIST OF STRING) keys of the nodes they begin at
// parameters: ends (LIST OF STRING) keys of the nodes they end at, beside those
// parameters: unknown (INTEGER) what stands for an unknown time
// identifiers: type start start_key end end_key
// returns: rid, start, end, at, kind, via_user_id, content_id, score, weight, count, said
UNWIND range(0, size($starts) - 1) AS i
MATCH (a:{{start}}) WHERE a.{{start_key}} = $starts[i]
MATCH (b:{{end}}) WHERE b.{{end_key}} = $ends[i]
MATCH (a)-[r:{{type}}]->(b) WHERE r.kindred_load IS NOT NULL
RETURN elementId(r) AS rid, a.{{start_key}} AS start, b.{{end_key}} AS end,
       coalesce(r.at.epochMillis * 1000 + r.at.microsecond % 1000, $unknown) AS at,
       r.kind AS kind, r.via_user_id AS via_user_id, r.content_id AS content_id,
       r.score AS score, r.weight AS weight, r.count AS count, r.kindred_said AS said
