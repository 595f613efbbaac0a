// name: make_topics
// about: makes topics
// parameters: topic_id (LIST OF STRING) the key, a row
// parameters: kind (LIST OF STRING) property, a row; null where no row has it
// parameters: label (LIST OF STRING) property, a row; null where no row has it
// parameters: load (INTEGER) number of the load
// returns: none
UNWIND range(0, size($topic_id) - 1) AS i
CREATE (n:Topic {
  topic_id: $topic_id[i], kind: $kind[i], label: $label[i], kindred_load: $load
})
