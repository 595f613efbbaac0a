// name: known_handles
// about: returns all handles that the store has, somebody's or not
// parameters: none
// returns: id
MATCH (h:kindred_Handle)
RETURN h.user_id AS id
