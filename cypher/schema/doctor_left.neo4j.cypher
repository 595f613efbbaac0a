// name: doctor_left
// about: counts what work that was interrupted left behind
// parameters: none
// returns: changes, workers, pieces
RETURN COUNT { (:kindred_Change) } AS changes,
       COUNT {
         MATCH (w:kindred_Worker)
         WHERE NOT EXISTS { MATCH (:kindred_Lock {owner: w.owner}) }
       } AS workers,
       COUNT {
         MATCH (c:kindred_Chunk)
         WHERE NOT EXISTS { MATCH (:kindred_File {key: c.file}) }
       } AS pieces
