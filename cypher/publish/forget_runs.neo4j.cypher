// name: forget_runs
// about: deletes the records of all runs: none is active then
// parameters: none
// returns: none
MATCH (s:kindred_Store {name: 'kindred'})
REMOVE s.active
WITH s
MATCH (r:kindred_Result)
DELETE r
