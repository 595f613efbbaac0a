// name: users
// about: returns the properties of these users, in the order asked for
// parameters: ids (LIST OF STRING) user ids; unknown ones are left out
// returns: position, user_id, platform, handle, name, followers_count, labels
UNWIND range(1, size($ids)) AS position
WITH position, $ids[position - 1] AS id
MATCH (u:User {user_id: id})
RETURN position, u.user_id AS user_id, u.platform AS platform, u.handle AS handle,
       u.name AS name, u.followers_count AS followers_count, u.labels AS labels
ORDER BY position
