// name: get_changes
// about: returns changes with their rows, in order
// parameters: notes (LIST OF STRING) element ids
// returns: note, load, kind, rows
MATCH (c:kindred_Change) WHERE elementId(c) IN $notes
RETURN elementId(c) AS note, c.kindred_load AS load, c.kind AS kind, c.rows AS rows
ORDER BY load, c.number
