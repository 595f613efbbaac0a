// name: user_content
// about: returns what a user posted, with how often it was shared, most shared first
// parameters: id (STRING) the user's id
// parameters: limit (INT64) most contents
// returns: content_id, at, text, url, share_count
MATCH (u:User {user_id: $id})-[p:POSTED]->(c:Content)
OPTIONAL MATCH (:User)-[s:SHARED]->(c)
RETURN c.content_id AS content_id, p.at AS at, c.text AS text, c.url AS url,
       count(s) AS share_count
ORDER BY share_count DESC, content_id
LIMIT $limit
