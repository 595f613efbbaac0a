-- Posts of pages and accounts, a row a post and topic:
-- account_id, post_id, url_id, hashtag_id, domain_id, phash_id, timestamp.
-- All are numbers that stand for names. The account's prefix tells the platform.

-- reject content
SELECT row,
       CASE WHEN no_id(account_id) OR no_id(post_id) THEN 'no_id'
            WHEN bad_id(account_id) OR bad_id(post_id) THEN 'bad_id'
            WHEN NOT timeless(timestamp) AND moment(timestamp, $timezone) IS NULL THEN 'time'
            END AS reason,
       CASE reason WHEN 'time' THEN timestamp END AS found
FROM raw WHERE reason IS NOT NULL

-- step posts
SELECT CASE left(account_id, 3) WHEN 'fb_' THEN 'facebook' WHEN 'tw_' THEN 'x' ELSE $platform END
         AS platform,
       platform || ':' || account_id AS user_id,
       platform || ':post_' || post_id AS content_id,  -- a made number is no id of the platform
       moment(timestamp, $timezone) AS created_at,
       url_id, hashtag_id, domain_id, phash_id
FROM raw ANTI JOIN rejected USING (row)

-- table users
SELECT DISTINCT user_id, platform FROM posts

-- table content
SELECT DISTINCT content_id, platform, 'post' AS kind, user_id AS author_id, created_at FROM posts

-- table topics
SELECT DISTINCT content_id, kind, label
FROM (UNPIVOT posts ON url_id AS url, hashtag_id AS hashtag, domain_id AS domain, phash_id AS image
      INTO NAME kind VALUE label)
WHERE NOT no_id(label)
