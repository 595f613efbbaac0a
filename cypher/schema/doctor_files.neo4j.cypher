// name: doctor_files
// about: lists every file that is kept in the database
// parameters: none
// returns: owner, key, name, size, sha256, chunks
MATCH (f:kindred_File)
RETURN f.owner AS owner, f.key AS key, f.name AS name, f.size AS size, f.sha256 AS sha256,
       f.chunks AS chunks
ORDER BY owner, name
