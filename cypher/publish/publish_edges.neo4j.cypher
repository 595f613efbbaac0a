// name: publish_edges
// about: joins members or sources to communities of a run; those that are gone are left out
// parameters: place (STRING) name of the publication
// parameters: groups (LIST OF LIST) a community's id, and its rows: a key and properties
// identifiers: community label key type
// returns: none
UNWIND $groups AS group
MATCH (c:{{community}} {community_id: group[0], kindred_run: $place})
UNWIND group[1] AS row
MATCH (s:{{label}} { {{key}}: row[0] })
WHERE s.kindred_load IS NOT NULL
CREATE (s)-[r:{{type}}]->(c)
SET r += row[1]
