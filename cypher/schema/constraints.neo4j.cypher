// name: constraints
// about: lists the constraints of the database
// parameters: none
// returns: name, type, entity, labels, properties
SHOW CONSTRAINTS YIELD name, type, entityType, labelsOrTypes, properties
RETURN name, type, entityType AS entity, labelsOrTypes AS labels, properties
