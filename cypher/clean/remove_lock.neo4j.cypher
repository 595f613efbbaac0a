// name: remove_lock
// about: deletes the writer's lock, unless somebody holds it
// parameters: none
// returns: none
MATCH (l:kindred_Lock)
WHERE l.owner IS NULL
DELETE l
