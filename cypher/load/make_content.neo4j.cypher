// name: make_content
// about: makes contents
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
// parameters: load (INTEGER) number of the load
// returns: none
UNWIND range(0, size($content_id) - 1) AS i
CREATE (n:Content {
  content_id: $content_id[i], platform: $platform[i], kind: $kind[i],
  created_at: CASE WHEN $created_at[i] IS NULL THEN null ELSE
           datetime({epochSeconds: $created_at[i], nanosecond: $created_at_rest[i]}) END,
  text: $text[i], url: $url[i], lang: $lang[i], root_id: $root_id[i],
  shares_count: $shares_count[i], likes_count: $likes_count[i],
  replies_count: $replies_count[i], quotes_count: $quotes_count[i],
  impressions_count: $impressions_count[i], clicks_count: $clicks_count[i],
  stance: $stance[i], emotion: $emotion[i], is_promotion: $is_promotion[i],
  kindred_seen: $seen[i], kindred_told: $told[i], kindred_load: $load
})
