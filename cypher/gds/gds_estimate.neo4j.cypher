// name: gds_estimate
// about: returns how many bytes a projection of so many nodes and ties takes, before it is made
// parameters: nodes (INTEGER) how many
// parameters: ties (INTEGER) how many, each once
// parameters: projection (MAP) the relationship projection, with its properties
// returns: bytes
CALL gds.graph.project.estimate('*', $projection, {nodeCount: $nodes, relationshipCount: $ties})
YIELD bytesMax
RETURN bytesMax AS bytes
