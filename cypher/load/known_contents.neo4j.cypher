// name: known_contents
// about: returns contents that the store has, with who made them and what loads keep of them
// parameters: ids (LIST OF STRING) content ids
// returns: content_id, platform, kind, created_at, text, url, lang, root_id, shares_count, likes_count, replies_count, quotes_count, impressions_count, clicks_count, stance, emotion, is_promotion, seen, told, rid, start, at, said
UNWIND $ids AS id
MATCH (n:Content {content_id: id})
OPTIONAL MATCH (u:User)-[r:POSTED]->(n) WHERE r.kindred_load IS NOT NULL
RETURN n.content_id AS content_id, n.platform AS platform, n.kind AS kind,
       n.created_at.epochMillis * 1000 + n.created_at.microsecond % 1000 AS created_at,
       n.text AS text, n.url AS url, n.lang AS lang, n.root_id AS root_id,
       n.shares_count AS shares_count, n.likes_count AS likes_count,
       n.replies_count AS replies_count, n.quotes_count AS quotes_count,
       n.impressions_count AS impressions_count, n.clicks_count AS clicks_count,
       n.stance AS stance, n.emotion AS emotion, n.is_promotion AS is_promotion,
       n.kindred_seen AS seen, n.kindred_told AS told,
       elementId(r) AS rid, u.user_id AS start,
       r.at.epochMillis * 1000 + r.at.microsecond % 1000 AS at, r.kindred_said AS said
