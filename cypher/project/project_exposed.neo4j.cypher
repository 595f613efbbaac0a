// name: project_exposed
// about: returns who was shown which content, packed into lists
// parameters: starts (LIST OF INT64) nodes whose rows are wanted
// parameters: loads (LIST OF INT64) numbers of the loads that count
// parameters: part (INT64) which part of the rows, from 0
// parameters: parts (INT64) how many parts they are read in
// returns: source, target, count
MATCH (a) WHERE id(a) IN $starts
MATCH (a)-[r:EXPOSED]->(b:Content)
WHERE r.kindred_load IN $loads AND id(r) % $parts = $part
RETURN collect(id(a)) AS source, collect(id(b)) AS target, collect(r.count) AS count
