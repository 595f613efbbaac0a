// name: index
// about: makes nodes of a label quick to find by a property
// parameters: none
// identifiers: index label first
// returns: none
CREATE INDEX {{index}} IF NOT EXISTS
FOR (n:{{label}}) ON (n.{{first}})
