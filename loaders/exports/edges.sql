-- An edge list: who did something with whom, how often, perhaps when. Direction and kind are
-- the user's word. A weight counts interactions; a pair that is listed twice without a time
-- counts twice. Edges of the kind `follow` become follows.

-- reject interactions
SELECT row,
       CASE WHEN no_id(source) OR no_id(target) THEN 'no_id'
            WHEN bad_id(source) OR bad_id(target) THEN 'bad_id'
            WHEN NOT no_id(weight) AND NOT coalesce(finite_number(weight) > 0, false) THEN 'number'
            WHEN NOT timeless("at") AND moment("at", $timezone) IS NULL THEN 'time' END AS reason,
       CASE reason WHEN 'number' THEN weight WHEN 'time' THEN "at" END AS found
FROM raw WHERE reason IS NOT NULL

-- step edges
SELECT CASE WHEN $direction = 'A engages B' THEN source ELSE target END AS actor,
       CASE WHEN $direction = 'A engages B' THEN target ELSE source END AS towards,
       coalesce(finite_number(weight), 1) AS weight, moment("at", $timezone) AS "at"
FROM raw ANTI JOIN rejected USING (row)

-- step people
SELECT DISTINCT trim(id) AS id,
       CASE WHEN $ids = 'handle' THEN $platform || ':@' || lower(ltrim(trim(id), '@'))
            ELSE qualified($platform, id) END AS user_id
FROM (SELECT actor AS id FROM edges UNION SELECT towards FROM edges)

-- table users
SELECT user_id, $platform AS platform, CASE WHEN $ids = 'handle' THEN ltrim(id, '@') END AS handle
FROM people

-- step named
SELECT a.user_id, b.user_id AS target_id, weight, "at"
FROM edges JOIN people a ON a.id = trim(actor) JOIN people b ON b.id = trim(towards)

-- table interactions
SELECT user_id, target_id, $kind AS kind, "at", weight FROM named
WHERE "at" IS NOT NULL AND $kind <> 'follow'
UNION ALL
SELECT user_id, target_id, $kind, NULL, sum(weight) FROM named
WHERE "at" IS NULL AND $kind <> 'follow' GROUP BY user_id, target_id

-- table follows
SELECT user_id AS follower_id, target_id AS followee_id, min("at") AS "at" FROM named
WHERE $kind = 'follow' GROUP BY user_id, target_id
