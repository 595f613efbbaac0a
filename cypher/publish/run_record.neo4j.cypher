// name: run_record
// about: returns the record of a run, or of the active one, and one of its files
// parameters: run_id (STRING) the run; null asks for the active one
// parameters: file (STRING) name of the file; null for none
// returns: run_id, place, info, active, file
MATCH (r:kindred_Result)
WHERE r.run_id = $run_id OR ($run_id IS NULL AND r.active)
OPTIONAL MATCH (f:kindred_File)
WHERE f.owner = 'run:' + r.place AND f.name = $file
RETURN r.run_id AS run_id, r.place AS place, r.info AS info, r.active AS active,
       f {.key, .name, .size, .sha256, .chunks} AS file
