// name: adopted_properties
// about: lists the properties that an element of a thousand paths has
// parameters: place (INTEGER) place among nodes, then relationships
// identifiers: path
// returns: property
MATCH p = {{path}}
WITH (nodes(p) + relationships(p))[$place] AS element LIMIT 1000
UNWIND keys(element) AS property
RETURN DISTINCT property ORDER BY property
