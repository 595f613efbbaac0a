// name: lose_users
// about: deletes users that nothing names any more, unless somebody else hung something on them
// parameters: id (LIST OF STRING) user ids
// returns: none
UNWIND $id AS id
MATCH (n:User {user_id: id})
WHERE n.kindred_told IS NULL AND n.kindred_load IS NOT NULL
  AND NOT EXISTS {
    (n)-[:POSTED|SHARED|REPLIED|REACTED|MENTIONED|FOLLOWS|INTERACTED|BELONGS_TO|EXPOSED|kindred_NAMED]-()
  }
  AND NOT EXISTS { (n)-[r]-() WHERE r.kindred_load IS NULL }
DETACH DELETE n
