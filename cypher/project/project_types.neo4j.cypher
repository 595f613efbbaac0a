// name: project_types
// about: returns which types of relationships, and which labels, the database has
// parameters: none
// returns: type
CALL db.relationshipTypes() YIELD relationshipType
RETURN relationshipType AS type
UNION
CALL db.labels() YIELD label
RETURN label AS type
