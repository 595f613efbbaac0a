// name: drop_batch
// about: forgets a load that did not finish and of which nothing is left
// parameters: number (INTEGER) of the load
// returns: none
MATCH (b:kindred_Batch {number: $number, state: 'open'})
DELETE b
