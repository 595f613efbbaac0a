// name: worker_there
// about: says whether a worker's node is still there
// parameters: owner (STRING) the writer's own mark
// parameters: number (INTEGER) of the worker, from 0
// returns: there
MATCH (w:kindred_Worker {owner: $owner, number: $number})
RETURN count(w) AS there
