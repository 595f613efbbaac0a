// name: drop_changes
// about: deletes what was noted to be changed and never will be
// parameters: none
// returns: none
MATCH (c:kindred_Change)
DELETE c
