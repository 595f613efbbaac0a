// name: project_topics
// about: returns the next topics by id, packed into lists
// parameters: after (STRING) the last id of the page before, '' at first
// parameters: size (INT64) topics a page
// parameters: loads (LIST OF INT64) numbers of the loads that count
// returns: node, topic_id
MATCH (n:Topic)
WHERE n.topic_id > $after AND n.kindred_load IN $loads
WITH n ORDER BY n.topic_id LIMIT $size
WITH collect(n) AS nodes
RETURN [n IN nodes | id(n)] AS node, [n IN nodes | n.topic_id] AS topic_id
