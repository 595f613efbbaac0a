// name: make_brands
// about: makes brands
// parameters: brand_id (LIST OF STRING) the key, a row
// parameters: name (LIST OF STRING) property, a row; null where no row has it
// parameters: seen (LIST OF LIST OF INTEGER) as `kindred_seen`, a row; null where no row has it
// parameters: load (INTEGER) number of the load
// returns: none
UNWIND range(0, size($brand_id) - 1) AS i
CREATE (n:Brand {
  brand_id: $brand_id[i], name: $name[i], kindred_seen: $seen[i], kindred_load: $load
})
