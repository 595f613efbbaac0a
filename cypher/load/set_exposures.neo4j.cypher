// name: set_exposures
// about: sets how often communities were shown contents
// parameters: rid (LIST OF STRING) element ids
// parameters: count (LIST OF INTEGER) how often, a row
// returns: none
UNWIND range(0, size($rid) - 1) AS i
MATCH (e:kindred_Exposure) WHERE elementId(e) = $rid[i]
SET e.count = $count[i]
