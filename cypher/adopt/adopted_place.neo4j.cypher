// name: adopted_place
// about: returns the name of the database that is asked
// parameters: none
// returns: name
CALL db.info() YIELD name RETURN name
