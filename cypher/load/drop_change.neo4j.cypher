// name: drop_change
// about: lets go of a change that is applied
// parameters: note (STRING) element id
// returns: dropped
MATCH (c:kindred_Change) WHERE elementId(c) = $note
DELETE c
RETURN count(*) AS dropped
