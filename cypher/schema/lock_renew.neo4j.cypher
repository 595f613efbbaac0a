// name: lock_renew
// about: says that the holder of the lock, which the transaction has taken, is still at work
// parameters: owner (STRING) the writer's own mark
// parameters: lease (INTEGER) milliseconds it may be silent
// returns: renewed
MATCH (l:kindred_Lock {owner: $owner})
SET l.until = datetime.realtime().epochMillis + $lease
RETURN count(l) AS renewed
