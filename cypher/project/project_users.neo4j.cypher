// name: project_users
// about: returns the next users by id, packed into lists, with how many rows of events begin there
// parameters: after (STRING) the last id of the page before, '' at first
// parameters: size (INT64) users a page
// parameters: loads (LIST OF INT64) numbers of the loads that count
// returns: node, user_id, platform, handle, name, followers_count, labels, is_bot, degree
MATCH (n:User)
WHERE n.user_id > $after AND n.kindred_load IN $loads
WITH n ORDER BY n.user_id LIMIT $size
WITH collect(n) AS nodes,
     collect(COUNT {
       (n)-[:POSTED|SHARED|REPLIED|REACTED|MENTIONED|FOLLOWS|INTERACTED|EXPOSED|kindred_NAMED]->()
     }) AS degree
RETURN [n IN nodes | id(n)] AS node, [n IN nodes | n.user_id] AS user_id,
       [n IN nodes | n.platform] AS platform, [n IN nodes | n.handle] AS handle,
       [n IN nodes | n.name] AS name, [n IN nodes | n.followers_count] AS followers_count,
       [n IN nodes | n.labels] AS labels, [n IN nodes | n.is_bot] AS is_bot, degree
