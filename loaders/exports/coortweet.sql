-- CooRTweet: object_id, account_id, content_id, timestamp_share.
-- An account shared an object in a post. What an object is, the file does not say:
-- where $objects is 'content' it is itself a post, shared by the account; otherwise it is
-- a topic of that kind, and the post is about it.

-- reject shares
SELECT row,
       CASE WHEN no_id(object_id) OR no_id(account_id) OR no_id(content_id) THEN 'no_id'
            WHEN bad_id(object_id) OR bad_id(account_id) OR bad_id(content_id) THEN 'bad_id'
            WHEN NOT timeless(timestamp_share) AND moment(timestamp_share, $timezone) IS NULL
              THEN 'time' END AS reason,
       CASE reason WHEN 'time' THEN timestamp_share END AS found
FROM raw WHERE reason IS NOT NULL

-- step posts
SELECT qualified($platform, account_id) AS user_id, qualified($platform, content_id) AS content_id,
       trim(object_id) AS object, moment(timestamp_share, $timezone) AS "at"
FROM raw ANTI JOIN rejected USING (row)

-- table users
SELECT DISTINCT user_id, $platform AS platform FROM posts

-- A shared object that is a post of this file has an author; of the others nothing is known.
-- Posts that only pass an object on are shares, not content.
-- table content
SELECT content_id, $platform AS platform, 'post' AS kind, user_id AS author_id, "at" AS created_at
FROM posts
WHERE $objects <> 'content' OR content_id IN (SELECT qualified($platform, object) FROM posts)
UNION ALL
SELECT DISTINCT qualified($platform, object), $platform, NULL, NULL, NULL
FROM posts WHERE $objects = 'content'

-- table shares
SELECT user_id, qualified($platform, object) AS content_id, "at", 'share' AS kind
FROM posts WHERE $objects = 'content'

-- table topics
SELECT DISTINCT content_id, $objects AS kind,
       CASE $objects WHEN 'hashtag' THEN lower(ltrim(object, '#'))
                     WHEN 'domain' THEN plain_domain(object) ELSE object END AS label
FROM posts WHERE $objects <> 'content'
