// name: known_topics
// about: returns those of these topics that the store has
// parameters: ids (LIST OF STRING) topic ids
// returns: topic_id
UNWIND $ids AS id
MATCH (n:Topic {topic_id: id})
RETURN n.topic_id AS topic_id
