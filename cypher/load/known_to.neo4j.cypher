// name: known_to
// about: returns the relationships of a type that end at nodes, all or those that were resolved
// parameters: ids (LIST OF STRING) keys of the nodes
// parameters: all (BOOLEAN) whether also those that were not resolved
// parameters: unknown (INTEGER) what stands for an unknown time
// identifiers: type start start_key end end_key
// returns: rid, start, end, at, kind, via_user_id, content_id, score, weight, count, said
UNWIND $ids AS id
MATCH (b:{{end}}) WHERE b.{{end_key}} = id
MATCH (a:{{start}})-[r:{{type}}]->(b)
WHERE r.kindred_load IS NOT NULL AND ($all OR r.kindred_said IS NOT NULL)
RETURN elementId(r) AS rid, a.{{start_key}} AS start, b.{{end_key}} AS end,
       coalesce(r.at.epochMillis * 1000 + r.at.microsecond % 1000, $unknown) AS at,
       r.kind AS kind, r.via_user_id AS via_user_id, r.content_id AS content_id,
       r.score AS score, r.weight AS weight, r.count AS count, r.kindred_said AS said
