// name: adopted_names
// about: lists the labels and relationship types that nodes and relationships have
// parameters: none
// returns: labels, types
CALL () { CALL db.labels() YIELD label RETURN collect(label) AS labels }
CALL () { CALL db.relationshipTypes() YIELD relationshipType AS type RETURN collect(type) AS types }
RETURN labels, types
