// name: doctor_runs
// about: lists the runs and the owners of their files
// parameters: none
// returns: run_id, owner, active
MATCH (r:kindred_Result)
RETURN r.run_id AS run_id, 'run:' + r.place AS owner, coalesce(r.active, false) AS active
ORDER BY run_id
