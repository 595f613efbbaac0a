// name: get_pieces
// about: returns pieces of a file in the order asked for
// parameters: pieces (LIST OF STRING) keys of the pieces
// returns: number, bytes
UNWIND $pieces AS piece
MATCH (c:kindred_Chunk {key: piece})
RETURN c.number AS number, c.bytes AS bytes
ORDER BY number
