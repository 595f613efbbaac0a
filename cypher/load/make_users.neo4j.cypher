// name: make_users
// about: makes users
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
// parameters: load (INTEGER) number of the load
// returns: none
UNWIND range(0, size($user_id) - 1) AS i
CREATE (n:User {
  user_id: $user_id[i], platform: $platform[i], handle: $handle[i], name: $name[i],
  followers_count: $followers_count[i], following_count: $following_count[i],
  posts_count: $posts_count[i],
  created_at: CASE WHEN $created_at[i] IS NULL THEN null ELSE
           datetime({epochSeconds: $created_at[i], nanosecond: $created_at_rest[i]}) END,
  is_bot: $is_bot[i], labels: $labels[i], kindred_seen: $seen[i], kindred_told: $told[i],
  kindred_claim: $claim[i], kindred_load: $load
})
