// name: settle_store
// about: says whether all that loads change has been applied
// parameters: settled (BOOLEAN) whether it has
// returns: none
MATCH (s:kindred_Store {name: 'kindred'})
SET s.settled = $settled, s.revision = s.revision + 1
