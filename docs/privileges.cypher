// The least that kindred needs on a Neo4j server, as statements for an administrator.
//
// Run them in the database `system`, with names and passwords of your own: `social` is the
// database that kindred keeps its graph in, `theirs` one that holds a graph of somebody else's.
//
// Neo4j Community knows users and no roles: there, every user may do everything, and part 1 is
// all there is. Tried on Community 5.26.30, with authentication on.
//
// Parts 2 to 5 need Neo4j Enterprise. UNTRIED: no Enterprise server was at hand. What was
// checked is that a 5.26 server takes each statement as well-formed and refuses it only for
// its edition. Tell us what was missing if you try them.

// 1. A user of kindred's own (Community and Enterprise).
CREATE USER kindred IF NOT EXISTS SET PASSWORD 'change-this' CHANGE NOT REQUIRED;

// 2. Who reads: `kindred serve` on a store that is there, `kindred query`, reports (Enterprise).
//    Everybody may run the built-in procedures unless that was taken away.
CREATE ROLE kindred_reader IF NOT EXISTS;
GRANT ACCESS ON DATABASE social TO kindred_reader;
GRANT MATCH {*} ON GRAPH social ELEMENTS * TO kindred_reader;
GRANT SHOW CONSTRAINT ON DATABASE social TO kindred_reader;
GRANT SHOW INDEX ON DATABASE social TO kindred_reader;

// 3. Who loads and analyses (Enterprise). Labels, types and properties are new names to a
//    database the first time they are written. Nothing here may change constraints.
CREATE ROLE kindred_writer IF NOT EXISTS AS COPY OF kindred_reader;
GRANT WRITE ON GRAPH social TO kindred_writer;
GRANT NAME MANAGEMENT ON DATABASE social TO kindred_writer;
GRANT EXECUTE PROCEDURE gds.* ON DBMS TO kindred_writer;
GRANT EXECUTE USER DEFINED FUNCTION gds.* ON DBMS TO kindred_writer;
GRANT ROLE kindred_writer TO kindred;

// 4. Who makes the store, once, and opens it after kindred was upgraded (Enterprise).
CREATE ROLE kindred_owner IF NOT EXISTS AS COPY OF kindred_writer;
GRANT CONSTRAINT MANAGEMENT ON DATABASE social TO kindred_owner;

// 5. Somebody else's graph that kindred reads where it is (`kindred adopt`): to read it, and
//    to write none of it; results go to `social` (Enterprise).
CREATE ROLE kindred_guest IF NOT EXISTS;
GRANT ACCESS ON DATABASE theirs TO kindred_guest;
GRANT MATCH {*} ON GRAPH theirs ELEMENTS * TO kindred_guest;
DENY WRITE ON GRAPH theirs TO kindred_guest;
GRANT EXECUTE PROCEDURE gds.* ON DBMS TO kindred_guest;
GRANT EXECUTE USER DEFINED FUNCTION gds.* ON DBMS TO kindred_guest;
GRANT ROLE kindred_guest TO kindred;
