// name: files
// about: lists the files of an owner, by name
// parameters: owner (STRING) whose
// returns: key, name, size, sha256, chunks
MATCH (f:kindred_File)
WHERE f.owner = $owner
RETURN f.key AS key, f.name AS name, f.size AS size, f.sha256 AS sha256, f.chunks AS chunks
ORDER BY name
