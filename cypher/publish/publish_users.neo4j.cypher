// name: publish_users
// about: writes what a run says of users onto their nodes
// parameters: run_id (STRING) the run
// parameters: rows (LIST OF LIST) id, authority, influence
// identifiers: user
// returns: none
UNWIND $rows AS row
MATCH (u:{{user}} {user_id: row[0]})
WHERE u.kindred_load IS NOT NULL
SET u.kindred_run = $run_id, u.kindred_authority = row[1], u.kindred_influence = row[2]
