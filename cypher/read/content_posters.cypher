// name: content_posters
// about: returns who posted a content and which topics it carries
// parameters: id (STRING) the content's id
// returns: user_id, name, at, topics
MATCH (c:Content {content_id: $id})
OPTIONAL MATCH (u:User)-[p:POSTED]->(c)
OPTIONAL MATCH (c)-[:ABOUT]->(t:Topic)
RETURN u.user_id AS user_id, u.name AS name, p.at AS at,
       list_sort(collect(t.topic_id)) AS topics
