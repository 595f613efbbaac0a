// name: lock_release
// about: lets go of the lock; does nothing where another writer has taken it over
// parameters: owner (STRING) the writer's own mark
// returns: none
OPTIONAL MATCH (w:kindred_Worker {owner: $owner})
DELETE w
WITH count(*) AS workers
MATCH (l:kindred_Lock {owner: $owner})
REMOVE l.owner, l.who, l.machine, l.pid, l.until
