// name: make_edges
// about: makes relationships of one type
// parameters: start (LIST OF STRING) keys of the nodes they begin at, a row
// parameters: end (LIST OF STRING) keys of the nodes they end at, a row
// parameters: at (LIST OF INTEGER) seconds since 1970, a row; null where no row has it
// parameters: at_rest (LIST OF INTEGER) and nanoseconds
// parameters: kind (LIST OF STRING) property, a row; null where no row has it
// parameters: via_user_id (LIST OF STRING) property, a row; null where no row has it
// parameters: content_id (LIST OF STRING) property, a row; null where no row has it
// parameters: score (LIST OF FLOAT) property, a row; null where no row has it
// parameters: weight (LIST OF FLOAT) property, a row; null where no row has it
// parameters: count (LIST OF INTEGER) property, a row; null where no row has it
// parameters: said (LIST OF LIST OF STRING) as `kindred_said`, a row; null where no row has it
// parameters: load (INTEGER) number of the load
// identifiers: type start_label start_key end_label end_key
// returns: none
UNWIND range(0, size($start) - 1) AS i
MATCH (a:{{start_label}}) WHERE a.{{start_key}} = $start[i]
MATCH (b:{{end_label}}) WHERE b.{{end_key}} = $end[i]
CREATE (a)-[:{{type}} {
  at: CASE WHEN $at[i] IS NULL THEN null ELSE
           datetime({epochSeconds: $at[i], nanosecond: $at_rest[i]}) END,
  kind: $kind[i], via_user_id: $via_user_id[i], content_id: $content_id[i], score: $score[i],
  weight: $weight[i], count: $count[i], kindred_said: $said[i], kindred_load: $load
}]->(b)
