// name: unique_pair
// about: makes a pair of properties unique among the nodes of a label
// parameters: none
// identifiers: constraint label first second
// returns: none
CREATE CONSTRAINT {{constraint}} IF NOT EXISTS
FOR (n:{{label}}) REQUIRE (n.{{first}}, n.{{second}}) IS UNIQUE
