// name: make_store
// about: makes the node that says there is a store, unless somebody else just has
// parameters: format (INTEGER) the format that kindred writes
// parameters: writer (STRING) its version
// parameters: mapping (STRING) mapping of somebody's own graph; null without one
// returns: none
MERGE (s:kindred_Store {name: 'kindred'})
ON CREATE SET s.format = $format, s.writer = $writer, s.revision = 0, s.settled = true,
              s.mapping = $mapping
