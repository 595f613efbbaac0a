// name: known_brands
// about: returns all brands that the store has, with what loads keep of them
// parameters: none
// returns: brand_id, name, seen, told
MATCH (n:Brand) WHERE n.kindred_load IS NOT NULL
RETURN n.brand_id AS brand_id, n.name AS name, n.kindred_seen AS seen, 1 AS told
