// name: gds_progress
// about: returns how far a job is, as the server words it
// parameters: job (STRING) its id
// returns: progress
CALL gds.listProgress($job) YIELD progress
RETURN progress LIMIT 1
