// name: worker_hold
// about: holds a worker's node until the transaction ends, so that nobody can take over in it
// parameters: owner (STRING) the writer's own mark
// parameters: number (INTEGER) of the worker, from 0
// returns: none
MATCH (w:kindred_Worker {owner: $owner, number: $number})
SET w.owner = w.owner
