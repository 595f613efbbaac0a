// name: begin_load
// about: opens a load under a number that no load had before
// parameters: fingerprint (STRING) of the batch
// parameters: report (STRING) JSON of what is known of it
// returns: number
MATCH (s:kindred_Store {name: 'kindred'})
OPTIONAL MATCH (b:kindred_Batch)
WITH s, max(coalesce(b.number, 0)) AS last
WITH s, CASE WHEN last > coalesce(s.loads, 0) THEN last ELSE coalesce(s.loads, 0) END + 1 AS number
SET s.loads = number
CREATE (:kindred_Batch {
  number: number, state: 'open', fingerprint: $fingerprint, revision: 0, report: $report,
  kindred_load: number
})
RETURN number
