// name: run_state
// about: returns what stands of runs: records, what of them is in the graph, owners of files
// parameters: none
// returns: results, publications, owners
CALL () {
  MATCH (r:kindred_Result)
  RETURN collect(r {.run_id, .place, .info, .active}) AS results
}
CALL () {
  MATCH (p:kindred_Publication)
  RETURN collect({place: p.place, active: coalesce(p.kindred_active, false),
                  done: coalesce(p.done, false)}) AS publications
}
CALL () {
  MATCH (f:kindred_File)
  WHERE f.owner STARTS WITH 'run:'
  RETURN collect(DISTINCT f.owner) AS owners
}
RETURN results, publications, owners
