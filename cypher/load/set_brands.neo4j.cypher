// name: set_brands
// about: sets what is told of brands that are there
// parameters: brand_id (LIST OF STRING) the key, a row
// parameters: name (LIST OF STRING) property, a row; null where no row has it
// parameters: seen (LIST OF LIST OF INTEGER) as `kindred_seen`, a row; null where no row has it
// returns: none
UNWIND range(0, size($brand_id) - 1) AS i
MATCH (n:Brand {brand_id: $brand_id[i]})
SET n.name = $name[i], n.kindred_seen = $seen[i]
