// name: project_brands
// about: returns the next brands by id, packed into lists
// parameters: after (STRING) the last id of the page before, '' at first
// parameters: size (INT64) brands a page
// parameters: loads (LIST OF INT64) numbers of the loads that count
// returns: node, brand_id, name
MATCH (n:Brand)
WHERE n.brand_id > $after AND n.kindred_load IN $loads
WITH n ORDER BY n.brand_id LIMIT $size
WITH collect(n) AS nodes
RETURN [n IN nodes | id(n)] AS node, [n IN nodes | n.brand_id] AS brand_id,
       [n IN nodes | n.name] AS name
