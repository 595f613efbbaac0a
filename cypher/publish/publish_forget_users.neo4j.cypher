// name: publish_forget_users
// about: takes what another run said of users off their nodes, of some at a time
// parameters: run_id (STRING) the run whose figures stay; null takes all
// parameters: most (INTEGER) most nodes
// identifiers: user
// returns: changed
MATCH (u:{{user}})
WHERE u.kindred_run IS NOT NULL AND ($run_id IS NULL OR u.kindred_run <> $run_id)
WITH u LIMIT $most
REMOVE u.kindred_run, u.kindred_authority, u.kindred_influence
RETURN count(*) AS changed
