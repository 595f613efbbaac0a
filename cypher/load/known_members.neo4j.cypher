// name: known_members
// about: returns all that brands own
// parameters: none
// returns: brand_id, kind, value
MATCH (m:kindred_Member)
RETURN m.brand_id AS brand_id, m.kind AS kind, m.value AS value
