-- Times, as people and platforms write them, to UTC microseconds.
--
--   Wed Oct 19 20:07:25 +0000 2022        X API v1.1
--   2021-04-08T19:34:16.000Z              ISO 8601 with Z
--   2021-04-08T19:34:16-04:00             ISO 8601 with an offset
--   1341100972, 1341100972.5, '1341100972'  unix seconds
--   1341100972000, 1341100972000000       unix milliseconds, microseconds (nanoseconds too)
--   2021-08-12 10:00:00                   local time, read in the zone given
--   2021-08-12 10:00:00 CEST              local time with the name of its zone
--   24-02-2015 11.35                      day first
--   44420.4166667                         a spreadsheet's cell: days since 1899-12-30
--
-- `moment` is null for what it cannot read: a number of minutes, 02/03/2021 (which is the
-- day?), years outside 1971 to 2199. `timeless` says that a cell means "unknown": empty,
-- a word for nothing, or zero, which is how 1970 gets into tables.

CREATE OR REPLACE TEMP MACRO timeless(cell) AS
  cell IS NULL OR lower(trim(cell)) IN
    ('', 'null', 'none', 'nan', 'nat', 'na', 'n/a', 'unknown', '\n', '0', '0.0', '-1',
     '1970-01-01', '1970-01-01t00:00:00z', '1970-01-01t00:00:00.000z', '1970-01-01 00:00:00',
     '1970-01-01 00:00:00+00', '1970-01-01t00:00:00+00:00');

-- Unix time in whole units, told by the number of digits: 1973 to 2286 in each unit.
CREATE OR REPLACE TEMP MACRO from_digits(cell) AS
  CASE
    WHEN length(cell) <= 10 THEN make_timestamptz(1000000 * TRY_CAST(cell AS BIGINT))
    WHEN length(cell) IN (12, 13) THEN make_timestamptz(1000 * TRY_CAST(cell AS BIGINT))
    WHEN length(cell) IN (15, 16) THEN make_timestamptz(TRY_CAST(cell AS BIGINT))
    WHEN length(cell) IN (18, 19) THEN make_timestamptz(TRY_CAST(cell AS BIGINT) // 1000)
  END;

-- A time that a format gives as unix seconds and nothing else.
CREATE OR REPLACE TEMP MACRO unix_seconds(cell) AS
  CASE WHEN TRY_CAST(cell AS BIGINT) BETWEEN 100000000 AND 9999999999
       THEN make_timestamptz(1000000 * TRY_CAST(cell AS BIGINT)) END;

-- A number of five digits counts days, as spreadsheets do; larger ones are unix time.
CREATE OR REPLACE TEMP MACRO from_number(n) AS
  CASE
    WHEN n >= 26000 AND n < 80000
      THEN make_timestamptz(CAST(round((n - 25569) * 86400000) AS BIGINT) * 1000)
    WHEN n >= 1e8 AND n < 1e10 THEN make_timestamptz(CAST(round(n * 1000000) AS BIGINT))
    WHEN n >= 1e11 AND n < 1e13 THEN make_timestamptz(CAST(round(n * 1000) AS BIGINT))
    WHEN n >= 1e14 AND n < 1e16 THEN make_timestamptz(CAST(round(n) AS BIGINT))
  END;

-- Zone names that mean one thing: those of RFC 5322 and of Europe.
CREATE OR REPLACE TEMP MACRO zone_offset(name) AS
  CASE name
    WHEN 'UTC' THEN '+00:00' WHEN 'GMT' THEN '+00:00' WHEN 'WET' THEN '+00:00'
    WHEN 'WEST' THEN '+01:00' WHEN 'CET' THEN '+01:00' WHEN 'CEST' THEN '+02:00'
    WHEN 'EET' THEN '+02:00' WHEN 'EEST' THEN '+03:00'
    WHEN 'EDT' THEN '-04:00' WHEN 'EST' THEN '-05:00' WHEN 'CDT' THEN '-05:00'
    WHEN 'CST' THEN '-06:00' WHEN 'MDT' THEN '-06:00' WHEN 'MST' THEN '-07:00'
    WHEN 'PDT' THEN '-07:00' WHEN 'PST' THEN '-08:00'
  END;

CREATE OR REPLACE TEMP MACRO iso_local(cell) AS
  regexp_full_match(cell, '\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?)?');

CREATE OR REPLACE TEMP MACRO iso_zoned(cell) AS
  regexp_full_match(cell, '\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)? ?(Z|z|[+-]\d{2}(:?\d{2})?)');

CREATE OR REPLACE TEMP MACRO iso_named(cell) AS
  regexp_full_match(cell, '\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)? [A-Z]{3,4}');

CREATE OR REPLACE TEMP MACRO day_first(cell) AS
  regexp_full_match(cell, '\d{1,2}[-.]\d{1,2}[-.]\d{4} \d{1,2}[.:]\d{2}([.:]\d{2})?');

-- A time is local where the cell says neither zone nor offset.
CREATE OR REPLACE TEMP MACRO zoneless(cell) AS
  cell IS NOT NULL AND (iso_local(trim(cell)) OR day_first(trim(cell)));

CREATE OR REPLACE TEMP MACRO from_words(cell, zone) AS
  CASE
    WHEN iso_zoned(cell) THEN TRY_CAST(replace(upper(cell), ',', '.') AS TIMESTAMPTZ)
    WHEN iso_local(cell) THEN timezone(zone, TRY_CAST(replace(upper(cell), ',', '.') AS TIMESTAMP))
    WHEN iso_named(cell)
      THEN TRY_CAST(regexp_replace(cell, ' [A-Z]+$', '') || zone_offset(split_part(cell, ' ', -1))
                    AS TIMESTAMPTZ)
    WHEN day_first(cell)
      THEN timezone(zone, TRY_STRPTIME(regexp_replace(cell, '[-.:]', ' ', 'g'),
                                       ['%d %m %Y %H %M', '%d %m %Y %H %M %S']))
    WHEN regexp_full_match(cell, '[A-Z][a-z]{2} [A-Z][a-z]{2} \d{1,2} \d{2}:\d{2}:\d{2} [+-]\d{4} \d{4}')
      THEN TRY_STRPTIME(cell, '%a %b %d %H:%M:%S %z %Y')
    WHEN regexp_full_match(cell, '[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} [+-]\d{4}')
      THEN TRY_STRPTIME(cell, '%a, %d %b %Y %H:%M:%S %z')
  END;

-- The list holds one time, so that it is worked out once and compared twice.
CREATE OR REPLACE TEMP MACRO in_range(t) AS
  list_filter([t], lambda x: x >= TIMESTAMPTZ '1971-01-01 00:00:00+00'
                         AND x < TIMESTAMPTZ '2200-01-01 00:00:00+00')[1];

CREATE OR REPLACE TEMP MACRO moment(cell, zone) AS
  CASE
    WHEN regexp_full_match(cell, '[1-9]\d{8,18}') THEN from_digits(cell)
    WHEN timeless(cell) THEN NULL
    WHEN regexp_full_match(trim(cell), '\d{5,16}(\.\d+)?')
      THEN from_number(TRY_CAST(trim(cell) AS DOUBLE))
    ELSE in_range(from_words(trim(cell), zone))
  END;
