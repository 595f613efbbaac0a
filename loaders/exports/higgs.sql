-- SNAP Higgs activity: `userA userB unix_seconds RT|MT|RE`.
-- A retweeted, mentioned or replied to B; which post is not said, so these are interactions.

-- reject interactions
SELECT row,
       CASE WHEN no_id(user_id) OR no_id(target_id) THEN 'no_id'
            WHEN bad_id(user_id) OR bad_id(target_id) THEN 'bad_id'
            WHEN coalesce(kind NOT IN ('RT', 'MT', 'RE'), true) THEN 'kind'
            WHEN unix_seconds("at") IS NULL AND NOT timeless("at") THEN 'time' END AS reason,
       CASE reason WHEN 'kind' THEN kind WHEN 'time' THEN "at" END AS found
FROM raw WHERE reason IS NOT NULL

-- step events
SELECT qualified($platform, user_id) AS user_id, qualified($platform, target_id) AS target_id,
       CASE kind WHEN 'RT' THEN 'share' WHEN 'MT' THEN 'mention' ELSE 'reply' END AS kind,
       unix_seconds("at") AS "at"
FROM raw ANTI JOIN rejected USING (row)

-- table users
SELECT DISTINCT user_id, $platform AS platform
FROM (SELECT user_id FROM events UNION ALL SELECT target_id FROM events)

-- table interactions
SELECT user_id, target_id, kind, "at", 1.0 AS weight FROM events
