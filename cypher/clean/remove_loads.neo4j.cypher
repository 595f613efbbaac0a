// name: remove_loads
// about: says of every load that it is not done: nothing of it counts, the next writer sweeps it
// parameters: none
// returns: none
MATCH (s:kindred_Store {name: 'kindred'})
SET s.revision = s.revision + 1
WITH s
MATCH (b:kindred_Batch)
SET b.state = 'open'
