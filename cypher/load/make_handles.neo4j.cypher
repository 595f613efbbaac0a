// name: make_handles
// about: makes users known by a handle, users only where it is nobody's
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
// parameters: to (LIST OF STRING) as `kindred_to`, a row; null where no row has it
// parameters: is_user (LIST OF BOOLEAN) whether it is a user for now, a row
// parameters: load (INTEGER) number of the load
// returns: none
UNWIND range(0, size($user_id) - 1) AS i
CREATE (n:kindred_Handle {
  user_id: $user_id[i], platform: $platform[i], handle: $handle[i], name: $name[i],
  followers_count: $followers_count[i], following_count: $following_count[i],
  posts_count: $posts_count[i],
  created_at: CASE WHEN $created_at[i] IS NULL THEN null ELSE
           datetime({epochSeconds: $created_at[i], nanosecond: $created_at_rest[i]}) END,
  is_bot: $is_bot[i], labels: $labels[i], kindred_seen: $seen[i], kindred_told: $told[i],
  kindred_to: $to[i], kindred_load: $load
})
FOREACH (_ IN CASE WHEN $is_user[i] THEN [1] ELSE [] END | SET n:User)
