// name: stray_pieces
// about: says whether there are pieces that belong to no file
// parameters: none
// returns: found
RETURN EXISTS {
  MATCH (c:kindred_Chunk)
  WHERE NOT EXISTS { MATCH (f:kindred_File {key: c.file}) }
} AS found
