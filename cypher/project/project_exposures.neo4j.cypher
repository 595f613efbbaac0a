// name: project_exposures
// about: returns which named community was shown which content, packed into lists
// parameters: starts (LIST OF INT64) contents whose rows are wanted
// parameters: loads (LIST OF INT64) numbers of the loads that count
// parameters: part (INT64) which part of the rows, from 0
// parameters: parts (INT64) how many parts they are read in
// returns: source, community, count
MATCH (a:Content) WHERE id(a) IN $starts
MATCH (e:kindred_Exposure {content_id: a.content_id})
WHERE e.kindred_load IN $loads AND id(e) % $parts = $part AND e.community <> ''
RETURN collect(id(a)) AS source, collect(e.community) AS community, collect(e.count) AS count
