// name: turn_handles
// about: says of handles whose they are now; those that are nobody's are users themselves
// parameters: user_id (LIST OF STRING) the handles
// parameters: to (LIST OF STRING) the user each belongs to; null where it is nobody's
// parameters: is_user (LIST OF BOOLEAN) whether it is a user itself, a row
// returns: none
UNWIND range(0, size($user_id) - 1) AS i
MATCH (h:kindred_Handle {user_id: $user_id[i]})
SET h.kindred_to = $to[i]
FOREACH (_ IN CASE WHEN $is_user[i] THEN [1] ELSE [] END | SET h:User)
FOREACH (_ IN CASE WHEN $is_user[i] THEN [] ELSE [1] END | REMOVE h:User)
