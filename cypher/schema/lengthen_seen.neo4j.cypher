// name: lengthen_seen
// about: adds columns that were never seen to what nodes say of when theirs were
// parameters: before (INTEGER) how many columns there were
// parameters: more (LIST OF INTEGER) what to add
// parameters: most (INTEGER) nodes of one transaction
// identifiers: label
// returns: none
MATCH (n:{{label}})
WHERE n.kindred_load IS NOT NULL AND size(n.kindred_seen) = $before
CALL (n) { SET n.kindred_seen = n.kindred_seen + $more } IN TRANSACTIONS OF $most ROWS
