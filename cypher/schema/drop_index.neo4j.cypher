// name: drop_index
// about: drops an index
// parameters: none
// identifiers: index
// returns: none
DROP INDEX {{index}} IF EXISTS
