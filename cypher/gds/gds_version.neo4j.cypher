// name: gds_version
// about: returns the version of Graph Data Science
// parameters: none
// returns: version
RETURN gds.version() AS version
