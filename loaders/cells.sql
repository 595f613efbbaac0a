-- Numbers, yes and no, lists and texts, as tables write them.

CREATE OR REPLACE TEMP MACRO whole_number(cell) AS
  CASE WHEN regexp_full_match(trim(cell), '\d{1,18}(\.0+)?')
         THEN TRY_CAST(split_part(trim(cell), '.', 1) AS BIGINT)
       WHEN regexp_full_match(trim(cell), '\d{1,3}(,\d{3}){1,5}')
         THEN TRY_CAST(replace(trim(cell), ',', '') AS BIGINT) END;

CREATE OR REPLACE TEMP MACRO finite_number(cell) AS
  CASE WHEN isfinite(TRY_CAST(cell AS DOUBLE)) THEN TRY_CAST(cell AS DOUBLE) END;

CREATE OR REPLACE TEMP MACRO yes_no(cell) AS
  CASE WHEN lower(trim(cell)) IN ('true', 't', 'yes', 'y', '1') THEN true
       WHEN lower(trim(cell)) IN ('false', 'f', 'no', 'n', '0') THEN false END;

-- A list is JSON, or words between semicolons.
CREATE OR REPLACE TEMP MACRO words_of(cell) AS
  CASE WHEN no_id(cell) THEN NULL
       WHEN left(trim(cell), 1) = '[' AND json_valid(cell) THEN from_json(cell, '["VARCHAR"]')
       ELSE list_filter(list_transform(string_split(cell, ';'), lambda w: trim(w)),
                        lambda w: w <> '') END;

CREATE OR REPLACE TEMP MACRO plain_text(cell) AS nullif(replace(cell, chr(0), ''), '');
