-- X API v2 as JSON lines: pages `{data, includes, errors, meta, __twarc}` of posts or users,
-- or flattened, one post a line with `author` and whole `referenced_tweets`.
--
-- A retweet is a share of the post it names; that is always the first author's, so who it was
-- seen from stays unknown. It repeats the mentions and links of the original: these are not
-- counted again. A quote is a post of its own and a share of what it quotes. An edited post
-- is one post, known by the first id of its history.

-- step lines
SELECT row, json, json -> '$.data' AS data, json ->> '$.__twarc.retrieved_at' AS retrieved,
       json_type(json, '$.data') AS data_type,
       json_type(json) = 'OBJECT' AND NOT json_exists(json, '$.data')
         AND json_exists(json, '$.text') AND json_exists(json, '$.id') AS flat
FROM raw

-- step items
SELECT row, retrieved, item, json_exists(item, '$.text') AS is_post,
       json_exists(item, '$.username') AND NOT json_exists(item, '$.text') AS is_user,
       json_exists(item, '$.tweet_count') AS is_count,
       json_exists(item, '$.member_count') OR json_exists(item, '$.name') AS is_list
FROM (
  SELECT row, retrieved, unnest(from_json(data, '["JSON"]')) AS item FROM lines WHERE data_type = 'ARRAY'
  UNION ALL SELECT row, retrieved, data FROM lines WHERE data_type = 'OBJECT'
  UNION ALL SELECT row, retrieved, json FROM lines WHERE flat
)

-- A page without data says that nothing was found: that is no fault.
-- reject content
SELECT row,
       CASE WHEN json IS NULL THEN if(row = $rows AND NOT $ends_whole, 'cut_off', 'not_json')
            WHEN json_type(json) <> 'OBJECT' THEN 'not_an_item'
            WHEN data_type IS NULL AND NOT flat AND NOT json_exists(json, '$.meta')
                 AND NOT json_exists(json, '$.errors') THEN 'not_an_item' END AS reason,
       NULL AS found
FROM lines WHERE reason IS NOT NULL

-- reject content
SELECT row, min(CASE WHEN is_count THEN 'counts' WHEN is_list THEN 'lists' ELSE 'not_an_item' END)
         AS reason, NULL AS found
FROM items WHERE NOT is_post AND NOT is_user GROUP BY row

-- step kept
SELECT row, retrieved, item, is_post, is_user FROM items ANTI JOIN rejected USING (row)
UNION ALL
SELECT row, retrieved, unnest(from_json(json -> '$.includes.tweets', '["JSON"]')), true, false
FROM lines ANTI JOIN rejected USING (row)
UNION ALL
SELECT row, retrieved, unnest(from_json(json -> '$.includes.users', '["JSON"]')), false, true
FROM lines ANTI JOIN rejected USING (row)
UNION ALL
SELECT row, retrieved, part, true, false
FROM (SELECT row, retrieved, unnest(from_json(json -> '$.referenced_tweets', '["JSON"]')) AS part
      FROM lines WHERE flat)
WHERE json_exists(part, '$.text')

-- step parsed
SELECT row, moment(retrieved, 'UTC') AS seen_at, item, from_json(item, '{
  "id": "VARCHAR", "text": "VARCHAR", "author_id": "VARCHAR", "created_at": "VARCHAR",
  "lang": "VARCHAR", "conversation_id": "VARCHAR", "note_tweet": {"text": "VARCHAR"},
  "edit_history_tweet_ids": ["VARCHAR"], "referenced_tweets": [{"type": "VARCHAR", "id": "VARCHAR"}],
  "public_metrics": {"retweet_count": "BIGINT", "reply_count": "BIGINT", "like_count": "BIGINT",
                     "quote_count": "BIGINT", "impression_count": "BIGINT"},
  "entities": {"mentions": [{"id": "VARCHAR", "username": "VARCHAR"}],
               "hashtags": [{"tag": "VARCHAR"}],
               "urls": [{"expanded_url": "VARCHAR", "unwound_url": "VARCHAR"}]}}') AS p
FROM kept WHERE is_post

-- One post of a page may be at fault, and the others stand.
-- step faults
SELECT row, p.id AS id,
       CASE WHEN no_id(p.id) THEN 'no_id'
            WHEN NOT x_id(p.id) OR NOT coalesce(x_id(p.author_id), true) THEN 'bad_id'
            WHEN NOT timeless(p.created_at) AND moment(p.created_at, 'UTC') IS NULL THEN 'time'
            END AS reason,
       CASE reason WHEN 'time' THEN p.created_at ELSE left(p.id, 40) END AS found
FROM parsed WHERE reason IS NOT NULL

-- reject content
SELECT DISTINCT row, reason, found FROM faults

-- step edits
SELECT id, min(first) AS first
FROM (SELECT unnest(p.edit_history_tweet_ids) AS id, p.edit_history_tweet_ids[1] AS first FROM parsed
      WHERE len(p.edit_history_tweet_ids) > 1)
GROUP BY id

-- step posts
SELECT row, seen_at, item, p, coalesce(first, p.id) AS post_id,
       min(moment(p.created_at, 'UTC')) OVER (PARTITION BY coalesce(first, p.id)) AS "at",
       max((length(p.id), p.id)) OVER (PARTITION BY coalesce(first, p.id)) = (length(p.id), p.id)
         AS latest,
       coalesce(len(list_filter(p.referenced_tweets, lambda r: r.type = 'retweeted')) > 0, false)
         AS is_retweet,
       'x:' || p.author_id AS user_id
FROM parsed LEFT JOIN edits ON edits.id = p.id
WHERE x_id(p.id) AND p.id NOT IN (SELECT id FROM faults WHERE id IS NOT NULL)

-- step refs
SELECT row, user_id, 'x:' || post_id AS content_id, "at", is_retweet, type,
       'x:' || coalesce(first, ref_id) AS target_id
FROM (SELECT row, user_id, post_id, "at", is_retweet, r.type AS type, r.id AS ref_id
      FROM (SELECT row, user_id, post_id, "at", is_retweet, unnest(p.referenced_tweets) AS r FROM posts)
      WHERE x_id(r.id))
LEFT JOIN edits ON edits.id = ref_id
WHERE NOT is_retweet OR type = 'retweeted'

-- A share or reply by nobody.
-- reject shares
SELECT DISTINCT row, 'no_id' AS reason, content_id AS found FROM refs
WHERE user_id IS NULL AND type IN ('retweeted', 'quoted')

-- reject replies
SELECT DISTINCT row, 'no_id' AS reason, content_id AS found FROM refs
WHERE user_id IS NULL AND type = 'replied_to'

-- step people
SELECT seen_at, from_json(person, '{
  "id": "VARCHAR", "username": "VARCHAR", "name": "VARCHAR", "created_at": "VARCHAR",
  "public_metrics": {"followers_count": "BIGINT", "following_count": "BIGINT",
                     "tweet_count": "BIGINT"}}') AS u
FROM (
  SELECT moment(retrieved, 'UTC') AS seen_at, item AS person FROM kept WHERE is_user
  UNION ALL SELECT seen_at, item -> '$.author' FROM posts WHERE json_exists(item, '$.author')
  UNION ALL SELECT seen_at, item -> '$.in_reply_to_user' FROM posts
  WHERE json_exists(item, '$.in_reply_to_user')
  UNION ALL SELECT seen_at, unnest(from_json(item -> '$.entities.mentions', '["JSON"]')) FROM posts
)

-- step named
SELECT DISTINCT user_id, target_id, handle, "at", content_id
FROM (
  SELECT user_id, "at", 'x:' || post_id AS content_id, m.username AS handle,
         CASE WHEN x_id(m.id) THEN 'x:' || m.id ELSE 'x:@' || lower(m.username) END AS target_id
  FROM (SELECT user_id, "at", post_id, unnest(p.entities.mentions) AS m FROM posts
        WHERE NOT is_retweet AND latest)
)
WHERE target_id IS NOT NULL AND NOT bad_id(target_id)

-- table users
SELECT 'x:' || u.id AS user_id, 'x' AS platform, u.username AS handle, u.name AS name,
       u.public_metrics.followers_count AS followers_count,
       u.public_metrics.following_count AS following_count,
       u.public_metrics.tweet_count AS posts_count, moment(u.created_at, 'UTC') AS created_at, seen_at
FROM people WHERE x_id(u.id)
UNION ALL
SELECT user_id, 'x', NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM posts WHERE user_id IS NOT NULL
UNION ALL
SELECT target_id, 'x', handle, NULL, NULL, NULL, NULL, NULL, NULL FROM named
WHERE starts_with(target_id, 'x:@')

-- table content
SELECT 'x:' || post_id AS content_id, 'x' AS platform,
       CASE WHEN len(list_filter(p.referenced_tweets, lambda r: r.type = 'replied_to')) > 0
            THEN 'reply' ELSE 'post' END AS kind,
       user_id AS author_id, "at" AS created_at, coalesce(p.note_tweet.text, p.text) AS text,
       'https://x.com/i/status/' || post_id AS url, p.lang AS lang,
       CASE WHEN x_id(p.conversation_id) THEN 'x:' || coalesce(first, p.conversation_id) END AS root_id,
       p.public_metrics.retweet_count AS shares_count, p.public_metrics.like_count AS likes_count,
       p.public_metrics.reply_count AS replies_count, p.public_metrics.quote_count AS quotes_count,
       nullif(p.public_metrics.impression_count, 0) AS impressions_count,  -- 0: not counted then
       seen_at
FROM posts LEFT JOIN edits ON edits.id = p.conversation_id
WHERE NOT is_retweet AND latest
UNION ALL
SELECT DISTINCT target_id, 'x', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM refs WHERE type IN ('retweeted', 'quoted', 'replied_to')

-- table shares
SELECT DISTINCT user_id, target_id AS content_id, "at",
       CASE type WHEN 'retweeted' THEN 'share' ELSE 'quote' END AS kind
FROM refs WHERE type IN ('retweeted', 'quoted') AND user_id IS NOT NULL

-- table replies
SELECT DISTINCT user_id, target_id AS parent_content_id, "at", content_id
FROM refs WHERE type = 'replied_to' AND user_id IS NOT NULL

-- table mentions
SELECT user_id, target_id, "at", content_id FROM named WHERE user_id IS NOT NULL

-- step links
SELECT DISTINCT content_id, url, domain_of(url) AS domain
FROM (SELECT 'x:' || post_id AS content_id, coalesce(l.unwound_url, l.expanded_url) AS url
      FROM (SELECT post_id, unnest(p.entities.urls) AS l FROM posts WHERE NOT is_retweet AND latest))
-- Links to X itself are quotes, pictures and people, not topics.
WHERE domain_of(url) NOT IN ('twitter.com', 'mobile.twitter.com', 'x.com', 'pic.twitter.com', 't.co')

-- table topics
SELECT DISTINCT 'x:' || post_id AS content_id, 'hashtag' AS kind, lower(h.tag) AS label
FROM (SELECT post_id, unnest(p.entities.hashtags) AS h FROM posts WHERE NOT is_retweet AND latest)
WHERE NOT no_id(h.tag)
UNION ALL SELECT content_id, 'url', url FROM links
UNION ALL SELECT DISTINCT content_id, 'domain', domain FROM links
