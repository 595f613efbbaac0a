"""A store on a Neo4j server: the graph is the truth, a batch is staging until the server has it."""
