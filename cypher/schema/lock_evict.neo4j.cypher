// name: lock_evict
// about: deletes the workers of every other writer, once their transactions have ended
// parameters: owner (STRING) the writer that stays
// returns: none
MATCH (w:kindred_Worker)
WHERE w.owner <> $owner
DELETE w
