// name: make_members
// about: keeps what brands own
// parameters: brand_id (LIST OF STRING) the key, a row
// parameters: kind (LIST OF STRING) property, a row; null where no row has it
// parameters: value (LIST OF STRING) property, a row; null where no row has it
// parameters: load (INTEGER) number of the load
// returns: none
UNWIND range(0, size($brand_id) - 1) AS i
CREATE (n:kindred_Member {
  brand_id: $brand_id[i], kind: $kind[i], value: $value[i], kindred_load: $load
})
