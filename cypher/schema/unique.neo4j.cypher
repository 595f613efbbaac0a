// name: unique
// about: makes a property unique among the nodes of a label
// parameters: none
// identifiers: constraint label first
// returns: none
CREATE CONSTRAINT {{constraint}} IF NOT EXISTS
FOR (n:{{label}}) REQUIRE n.{{first}} IS UNIQUE
