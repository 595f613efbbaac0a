// name: end_load
// about: makes a load count
// parameters: number (INTEGER) of the load
// parameters: report (STRING) JSON of what it did
// parameters: settled (BOOLEAN) whether it changes nothing that was there
// returns: revision
MATCH (b:kindred_Batch {number: $number})
MATCH (s:kindred_Store {name: 'kindred'})
SET s.revision = s.revision + 1, s.settled = $settled,
    b.state = 'done', b.revision = s.revision, b.report = $report
RETURN s.revision AS revision
