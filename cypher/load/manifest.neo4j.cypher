// name: manifest
// about: returns what the store on this server holds, with every load that was begun
// parameters: none
// returns: format, writer, revision, settled, active, mapping, batches
MATCH (s:kindred_Store {name: 'kindred'})
OPTIONAL MATCH (b:kindred_Batch)
WITH s, b ORDER BY b.number
RETURN s.format AS format, s.writer AS writer, s.revision AS revision, s.settled AS settled,
       s.active AS active, s.mapping AS mapping,
       collect(b {.number, .state, .fingerprint, .revision, .report}) AS batches
