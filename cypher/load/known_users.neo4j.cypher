// name: known_users
// about: returns users that the store has, with what loads keep of them
// parameters: ids (LIST OF STRING) values of the property they are looked up by
// identifiers: label key
// returns: user_id, platform, handle, name, followers_count, following_count, posts_count, created_at, is_bot, labels, seen, told, claim, to, is_user
UNWIND $ids AS id
MATCH (n:{{label}}) WHERE n.{{key}} = id
RETURN n.user_id AS user_id, n.platform AS platform, n.handle AS handle, n.name AS name,
       n.followers_count AS followers_count, n.following_count AS following_count,
       n.posts_count AS posts_count,
       n.created_at.epochMillis * 1000 + n.created_at.microsecond % 1000 AS created_at,
       n.is_bot AS is_bot, n.labels AS labels, n.kindred_seen AS seen, n.kindred_told AS told,
       n.kindred_claim AS claim, n.kindred_to AS to, n:User AS is_user
