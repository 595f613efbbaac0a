// name: set_content
// about: sets what is told of contents that are there
// parameters: content_id (LIST OF STRING) the key, a row
// parameters: platform (LIST OF STRING) property, a row; null where no row has it
// parameters: kind (LIST OF STRING) property, a row; null where no row has it
// parameters: created_at (LIST OF INTEGER) seconds since 1970, a row
// parameters: created_at_rest (LIST OF INTEGER) and nanoseconds
// parameters: text (LIST OF STRING) property, a row; null where no row has it
// parameters: url (LIST OF STRING) property, a row; null where no row has it
// parameters: lang (LIST OF STRING) property, a row; null where no row has it
// parameters: root_id (LIST OF STRING) property, a row; null where no row has it
// parameters: shares_count (LIST OF INTEGER) property, a row; null where no row has it
// parameters: likes_count (LIST OF INTEGER) property, a row; null where no row has it
// parameters: replies_count (LIST OF INTEGER) property, a row; null where no row has it
// parameters: quotes_count (LIST OF INTEGER) property, a row; null where no row has it
// parameters: impressions_count (LIST OF INTEGER) property, a row; null where no row has it
// parameters: clicks_count (LIST OF INTEGER) property, a row; null where no row has it
// parameters: stance (LIST OF FLOAT) property, a row; null where no row has it
// parameters: emotion (LIST OF FLOAT) property, a row; null where no row has it
// parameters: is_promotion (LIST OF BOOLEAN) property, a row; null where no row has it
// parameters: seen (LIST OF LIST OF INTEGER) as `kindred_seen`, a row; null where no row has it
// parameters: told (LIST OF INTEGER) as `kindred_told`, a row; null where no row has it
// returns: none
UNWIND range(0, size($content_id) - 1) AS i
MATCH (n:Content {content_id: $content_id[i]})
SET n.platform = $platform[i], n.kind = $kind[i],
    n.created_at = CASE WHEN $created_at[i] IS NULL THEN null ELSE
           datetime({epochSeconds: $created_at[i], nanosecond: $created_at_rest[i]}) END,
    n.text = $text[i], n.url = $url[i], n.lang = $lang[i], n.root_id = $root_id[i],
    n.shares_count = $shares_count[i], n.likes_count = $likes_count[i],
    n.replies_count = $replies_count[i], n.quotes_count = $quotes_count[i],
    n.impressions_count = $impressions_count[i], n.clicks_count = $clicks_count[i],
    n.stance = $stance[i], n.emotion = $emotion[i], n.is_promotion = $is_promotion[i],
    n.kindred_seen = $seen[i], n.kindred_told = $told[i]
