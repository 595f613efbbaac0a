// name: publish_record
// about: keeps the record of a run and makes it the active one
// parameters: run_id (STRING) the run
// parameters: place (STRING) name of its publication, and owner of its files
// parameters: info (STRING) JSON of all that is not a result
// returns: none
MERGE (r:kindred_Result {run_id: $run_id})
SET r.place = $place, r.info = $info, r.kindred_load = 0
WITH r
MATCH (s:kindred_Store {name: 'kindred'})
SET s.active = $run_id
WITH DISTINCT r
MATCH (other:kindred_Result)
SET other.active = (other = r)
