// name: indexes
// about: lists the indexes of the database that are not a constraint's
// parameters: none
// returns: name, type, entity, labels, properties
SHOW INDEXES YIELD name, type, entityType, labelsOrTypes, properties, owningConstraint
WHERE owningConstraint IS NULL
RETURN name, type, entityType AS entity, labelsOrTypes AS labels, properties
