// name: project_reacted
// about: returns who reacted to which content, packed into lists
// parameters: starts (LIST OF INT64) nodes whose rows are wanted
// parameters: loads (LIST OF INT64) numbers of the loads that count
// parameters: part (INT64) which part of the rows, from 0
// parameters: parts (INT64) how many parts they are read in
// parameters: unknown (INT64) what stands for an unknown time
// returns: source, target, at, kind, score
MATCH (a) WHERE id(a) IN $starts
MATCH (a)-[r:REACTED]->(b:Content)
WHERE r.kindred_load IN $loads AND id(r) % $parts = $part
RETURN collect(id(a)) AS source, collect(id(b)) AS target,
       collect(coalesce(r.at.epochMillis * 1000 + r.at.microsecond % 1000, $unknown)) AS at,
       collect(coalesce(r.kind, '')) AS kind, collect(coalesce(r.score, 0.0 / 0.0)) AS score
