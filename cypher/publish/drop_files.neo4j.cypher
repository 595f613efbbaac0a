// name: drop_files
// about: takes the files of an owner away; their pieces are left for drop_pieces
// parameters: owner (STRING) whose
// returns: none
MATCH (f:kindred_File)
WHERE f.owner = $owner
DELETE f
