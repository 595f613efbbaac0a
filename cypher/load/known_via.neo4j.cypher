// name: known_via
// about: returns the shares that were passed on by users, as they stand or as they were said
// parameters: ids (LIST OF STRING) user ids
// parameters: quoted (LIST OF STRING) the same as they stand in JSON
// parameters: unknown (INTEGER) what stands for an unknown time
// identifiers: type start start_key end end_key
// returns: rid, start, end, at, kind, via_user_id, content_id, score, weight, count, said
MATCH (a:{{start}})-[r:{{type}}]->(b:{{end}})
WHERE r.kindred_load IS NOT NULL
  AND (r.via_user_id IN $ids
       OR any(said IN r.kindred_said WHERE any(one IN $quoted WHERE said CONTAINS one)))
RETURN elementId(r) AS rid, a.{{start_key}} AS start, b.{{end_key}} AS end,
       coalesce(r.at.epochMillis * 1000 + r.at.microsecond % 1000, $unknown) AS at,
       r.kind AS kind, r.via_user_id AS via_user_id, r.content_id AS content_id,
       r.score AS score, r.weight AS weight, r.count AS count, r.kindred_said AS said
