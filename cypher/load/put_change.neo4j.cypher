// name: put_change
// about: keeps what a load changes of what was there, to be applied once it is done
// parameters: load (INTEGER) number of the load
// parameters: number (INTEGER) which change of the load it is
// parameters: kind (STRING) what is to be done
// parameters: rows (BYTES) with which rows, as an Arrow stream
// parameters: count (INTEGER) how many rows
// parameters: size (INTEGER) how many bytes
// returns: none
CREATE (:kindred_Change {
  kindred_load: $load, number: $number, kind: $kind, rows: $rows, count: $count, size: $size
})
