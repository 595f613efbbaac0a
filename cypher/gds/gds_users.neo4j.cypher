// name: gds_users
// about: returns whom each node of a projection of the graph itself stands for
// parameters: graph (STRING) the projection
// parameters: property (STRING) any property that its nodes have
// returns: node, user_id, piece
CALL gds.graph.nodeProperty.stream($graph, $property) YIELD nodeId
WITH nodeId, gds.util.asNode(nodeId) AS user
RETURN collect(nodeId) AS node, collect(user.user_id) AS user_id, nodeId / 100000 AS piece
ORDER BY piece
