// name: put_files
// about: makes files of pieces that are all there; returns those that are files now
// parameters: files (LIST OF MAP) key, keys of the pieces, and properties of each file
// returns: name
UNWIND $files AS file
CALL (file) {
  UNWIND file.pieces AS piece
  MATCH (c:kindred_Chunk {key: piece})
  RETURN count(c) AS found
}
WITH file, found
WHERE found = size(file.pieces)
MERGE (f:kindred_File {key: file.key})
SET f += file.properties, f.chunks = found
RETURN f.name AS name
