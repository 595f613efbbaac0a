// name: project_members
// about: returns what brands own, packed into lists
// parameters: loads (LIST OF INT64) numbers of the loads that count
// returns: brand_id, kind, value
MATCH (m:kindred_Member)
WHERE m.kindred_load IN $loads
RETURN collect(m.brand_id) AS brand_id, collect(m.kind) AS kind, collect(m.value) AS value
