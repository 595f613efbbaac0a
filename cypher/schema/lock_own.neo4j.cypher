// name: lock_own
// about: makes a writer the holder of the lock it has taken, and makes its workers
// parameters: name (STRING) of the lock
// parameters: owner (STRING) the writer's own mark
// parameters: who (STRING) the writer in words
// parameters: machine (STRING) the machine it runs on, by its own mark
// parameters: pid (INTEGER) its process there
// parameters: lease (INTEGER) milliseconds it may be silent
// parameters: workers (INTEGER) how many of its transactions may run at once
// returns: none
MATCH (l:kindred_Lock {name: $name})
SET l.owner = $owner, l.who = $who, l.machine = $machine, l.pid = $pid,
    l.until = datetime.realtime().epochMillis + $lease
WITH l
UNWIND range(0, $workers - 1) AS number
CREATE (:kindred_Worker {owner: $owner, number: number})
