// name: brand_accounts
// about: returns the accounts that belong to a brand
// parameters: limit (INT64) most accounts
// returns: user_id, brand_id
MATCH (u:User)-[:BELONGS_TO]->(b:Brand)
RETURN u.user_id AS user_id, b.brand_id AS brand_id
ORDER BY user_id, brand_id
LIMIT $limit
