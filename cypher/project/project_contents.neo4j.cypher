// name: project_contents
// about: returns the next contents by id, packed into lists, with how many topics each carries and communities saw it
// parameters: after (STRING) the last id of the page before, '' at first
// parameters: size (INT64) contents a page
// parameters: loads (LIST OF INT64) numbers of the loads that count
// parameters: unknown (INT64) what stands for an unknown time
// returns: node, content_id, platform, created_at, kind, text_length, impressions_count, likes_count, clicks_count, stance, emotion, is_promotion, degree
MATCH (n:Content)
WHERE n.content_id > $after AND n.kindred_load IN $loads
WITH n ORDER BY n.content_id LIMIT $size
WITH collect(n) AS nodes,
     collect(COUNT { (n)-[:ABOUT]->() }
             + COUNT { MATCH (e:kindred_Exposure {content_id: n.content_id}) }) AS degree
RETURN [n IN nodes | id(n)] AS node, [n IN nodes | n.content_id] AS content_id,
       [n IN nodes | n.platform] AS platform,
       [n IN nodes |
        coalesce(n.created_at.epochMillis * 1000 + n.created_at.microsecond % 1000, $unknown)]
       AS created_at,
       [n IN nodes | n.kind] AS kind, [n IN nodes | size(n.text)] AS text_length,
       [n IN nodes | n.impressions_count] AS impressions_count,
       [n IN nodes | n.likes_count] AS likes_count, [n IN nodes | n.clicks_count] AS clicks_count,
       [n IN nodes | n.stance] AS stance, [n IN nodes | n.emotion] AS emotion,
       [n IN nodes | n.is_promotion] AS is_promotion, degree
