// name: contents
// about: returns the properties of these contents, in the order asked for
// parameters: ids (LIST OF STRING) content ids; unknown ones are left out
// returns: position, content_id, platform, kind, author_id, created_at, text, url
UNWIND range(1, size($ids)) AS position
WITH position, $ids[position - 1] AS id
MATCH (c:Content {content_id: id})
OPTIONAL MATCH (a:User)-[:POSTED]->(c)
RETURN position, c.content_id AS content_id, c.platform AS platform, c.kind AS kind,
       a.user_id AS author_id, c.created_at AS created_at, c.text AS text, c.url AS url
ORDER BY position
