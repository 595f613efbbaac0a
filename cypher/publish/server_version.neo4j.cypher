// name: server_version
// about: returns the version of the server
// parameters: none
// returns: version
CALL dbms.components() YIELD name, versions
WHERE name = 'Neo4j Kernel'
RETURN versions[0] AS version
