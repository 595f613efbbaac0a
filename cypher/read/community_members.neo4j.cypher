// name: community_members
// about: returns members of a community of the active run, surest first
// parameters: id (STRING) the community's id
// parameters: limit (INT64) most members
// returns: user_id, name, handle, platform, followers_count, confidence
MATCH (run:Run {kindred_active: true})
MATCH (u:User)-[m:MEMBER_OF]->(c:Community {community_id: $id, kindred_run: run.place})
RETURN u.user_id AS user_id, u.name AS name, u.handle AS handle, u.platform AS platform,
       u.followers_count AS followers_count, m.confidence AS confidence
ORDER BY confidence DESC, user_id
LIMIT $limit
