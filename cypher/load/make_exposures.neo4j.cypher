// name: make_exposures
// about: keeps how often communities were shown contents
// parameters: content_id (LIST OF STRING) the key, a row
// parameters: community (LIST OF STRING) property, a row; null where no row has it
// parameters: count (LIST OF INTEGER) property, a row; null where no row has it
// parameters: load (INTEGER) number of the load
// returns: none
UNWIND range(0, size($content_id) - 1) AS i
CREATE (n:kindred_Exposure {
  content_id: $content_id[i], community: $community[i], count: $count[i], kindred_load: $load
})
