// name: lock_read
// about: says who holds the lock, and how many milliseconds it may still be silent
// parameters: name (STRING) of the lock
// returns: owner, who, machine, pid, left
MATCH (l:kindred_Lock {name: $name})
WHERE l.owner IS NOT NULL
RETURN l.owner AS owner, l.who AS who, l.machine AS machine, l.pid AS pid,
       l.until - datetime.realtime().epochMillis AS left
