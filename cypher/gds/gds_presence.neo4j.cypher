// name: gds_presence
// about: says whether the server has Graph Data Science, without calling it
// parameters: none
// returns: found
SHOW FUNCTIONS YIELD name WHERE name = 'gds.version' RETURN count(*) AS found
