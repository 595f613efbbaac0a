// name: stamp_store
// about: says which format the store is in now
// parameters: format (INTEGER) the format
// parameters: writer (STRING) the version of kindred that brought it there
// returns: none
MATCH (s:kindred_Store {name: 'kindred'})
SET s.format = $format, s.writer = $writer
