// name: adopted_keep
// about: keeps the mapping of somebody's own graph, in the store that holds the results
// parameters: mapping (STRING) the mapping as JSON
// returns: none
MATCH (s:kindred_Store {name: 'kindred'})
SET s.mapping = $mapping, s.revision = s.revision + 1
