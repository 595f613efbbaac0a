// name: set_users
// about: sets what is told of users that are there
// parameters: user_id (LIST OF STRING) the key, a row
// parameters: platform (LIST OF STRING) property, a row; null where no row has it
// parameters: handle (LIST OF STRING) property, a row; null where no row has it
// parameters: name (LIST OF STRING) property, a row; null where no row has it
// parameters: followers_count (LIST OF INTEGER) property, a row; null where no row has it
// parameters: following_count (LIST OF INTEGER) property, a row; null where no row has it
// parameters: posts_count (LIST OF INTEGER) property, a row; null where no row has it
// parameters: created_at (LIST OF INTEGER) seconds since 1970, a row
// parameters: created_at_rest (LIST OF INTEGER) and nanoseconds
// parameters: is_bot (LIST OF BOOLEAN) property, a row; null where no row has it
// parameters: labels (LIST OF LIST OF STRING) property, a row; null where no row has it
// parameters: seen (LIST OF LIST OF INTEGER) as `kindred_seen`, a row; null where no row has it
// parameters: told (LIST OF INTEGER) as `kindred_told`, a row; null where no row has it
// parameters: claim (LIST OF STRING) as `kindred_claim`, a row; null where no row has it
// identifiers: label
// returns: none
UNWIND range(0, size($user_id) - 1) AS i
MATCH (n:{{label}} {user_id: $user_id[i]})
SET n.platform = $platform[i], n.handle = $handle[i], n.name = $name[i],
    n.followers_count = $followers_count[i], n.following_count = $following_count[i],
    n.posts_count = $posts_count[i],
    n.created_at = CASE WHEN $created_at[i] IS NULL THEN null ELSE
           datetime({epochSeconds: $created_at[i], nanosecond: $created_at_rest[i]}) END,
    n.is_bot = $is_bot[i], n.labels = $labels[i], n.kindred_seen = $seen[i],
    n.kindred_told = $told[i], n.kindred_claim = $claim[i]
