// name: drop_constraint
// about: drops a constraint
// parameters: none
// identifiers: constraint
// returns: none
DROP CONSTRAINT {{constraint}} IF EXISTS
