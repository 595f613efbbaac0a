// name: project_types
// about: returns which types of relationships the database has
// parameters: none
// returns: type
CALL db.relationshipTypes() YIELD relationshipType
RETURN relationshipType AS type
