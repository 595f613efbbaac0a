// name: content_posters
// about: returns who posted a content and which topics it carries
// parameters: id (STRING) the content's id
// returns: user_id, name, at, topics
MATCH (c:Content {content_id: $id})
OPTIONAL MATCH (u:User)-[p:POSTED]->(c)
RETURN u.user_id AS user_id, u.name AS name, p.at AS at,
       COLLECT { MATCH (c)-[:ABOUT]->(t:Topic) RETURN t.topic_id ORDER BY t.topic_id } AS topics
