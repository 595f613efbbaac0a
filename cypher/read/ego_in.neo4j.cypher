// name: ego_in
// about: returns who acted towards a user (interactions, follows, mentions), most often first
// parameters: id (STRING) the user's id
// parameters: limit (INT64) most rows
// returns: user_id, name, handle, kind, count
MATCH (u:User {user_id: $id})<-[r:INTERACTED|FOLLOWS|MENTIONED]-(o:User)
RETURN o.user_id AS user_id, o.name AS name, o.handle AS handle,
       coalesce(r.kind, lower(type(r))) AS kind, count(*) AS count
ORDER BY count DESC, user_id, kind
LIMIT $limit
