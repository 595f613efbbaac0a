// name: gds_values
// about: returns a property of all nodes of a projection, in pieces of a hundred thousand
// parameters: graph (STRING) the projection
// parameters: property (STRING) what an algorithm left on its nodes
// returns: node, value, piece
CALL gds.graph.nodeProperty.stream($graph, $property) YIELD nodeId, propertyValue
RETURN collect(nodeId) AS node, collect(propertyValue) AS value, nodeId / 100000 AS piece
ORDER BY piece
