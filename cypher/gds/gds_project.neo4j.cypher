// name: gds_project
// about: makes a projection of ties that are sent, with one weight or more each
// parameters: graph (STRING) its name in the catalogue
// parameters: source (LIST OF INTEGER) one end of each tie, numbers of our own
// parameters: target (LIST OF INTEGER) the other end
// parameters: kind (LIST OF INTEGER) which of the distinct weights each tie has
// parameters: weights (LIST OF MAP) the distinct weights: w0, w1, ...
// parameters: configuration (MAP) undirectedRelationshipTypes, or nothing
// returns: nodes, ties
UNWIND range(0, size($source) - 1) AS i
WITH gds.graph.project(
  $graph, $source[i], $target[i], {relationshipProperties: $weights[$kind[i]]}, $configuration
) AS made
RETURN made.nodeCount AS nodes, made.relationshipCount AS ties
