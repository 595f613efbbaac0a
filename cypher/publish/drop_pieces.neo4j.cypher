// name: drop_pieces
// about: deletes some pieces that belong to no file; returns how many
// parameters: most (INTEGER) most pieces
// returns: dropped
MATCH (c:kindred_Chunk)
WHERE NOT EXISTS { MATCH (f:kindred_File {key: c.file}) }
WITH c LIMIT $most
DELETE c
RETURN count(*) AS dropped
