// name: known_exposures
// about: returns how often communities were shown these contents
// parameters: ids (LIST OF STRING) content ids
// returns: rid, end, community, count
MATCH (e:kindred_Exposure) WHERE e.content_id IN $ids
RETURN elementId(e) AS rid, e.content_id AS end, e.community AS community, e.count AS count
