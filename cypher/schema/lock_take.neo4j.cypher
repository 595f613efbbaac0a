// name: lock_take
// about: holds, until the transaction ends, the node that says who writes
// parameters: name (STRING) of the lock
// returns: none
// Setting a property, even to what it is, takes the node's lock; what the transaction reads
// after that nobody else can change. The unique constraint makes it one node for everybody.
MERGE (l:kindred_Lock {name: $name})
SET l.name = l.name
