// name: put_pieces
// about: writes pieces of files, each of them once however often it is told to
// parameters: load (INTEGER) number of the load that writes them, 0 for a run
// parameters: pieces (LIST OF MAP) file, key, number from 0 up, and bytes of each piece
// returns: none
UNWIND $pieces AS piece
MERGE (c:kindred_Chunk {key: piece.key})
SET c.file = piece.file, c.number = piece.number, c.bytes = piece.bytes, c.kindred_load = $load
