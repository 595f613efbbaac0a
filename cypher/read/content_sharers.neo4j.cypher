// name: content_sharers
// about: returns who shared a content, when, and from whom, earliest first
// parameters: id (STRING) the content's id
// parameters: limit (INT64) most sharers
// returns: user_id, name, handle, at, kind, via_user_id, community_id
OPTIONAL MATCH (run:Run {kindred_active: true})
MATCH (u:User)-[s:SHARED]->(c:Content {content_id: $id})
OPTIONAL MATCH (u)-[:MEMBER_OF]->(m:Community {kindred_run: run.place})
RETURN u.user_id AS user_id, u.name AS name, u.handle AS handle, s.at AS at, s.kind AS kind,
       s.via_user_id AS via_user_id, m.community_id AS community_id
ORDER BY at, user_id, kind
LIMIT $limit
