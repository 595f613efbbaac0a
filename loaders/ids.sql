-- Ids and names: always text, `platform:native-id`, split at the first colon only.

-- A spreadsheet or a float column has been over it: 5.70306E+17, 1234567.0, 5,70306E+17.
CREATE OR REPLACE TEMP MACRO mangled(id) AS
  (contains(id, '.') OR contains(id, ',') OR contains(id, '+'))
  AND regexp_full_match(id, '\d+[.,]\d*([eE][+-]?\d+)?|\d+[eE]\+\d+');

-- Most ids have no blanks around them, and looking is cheaper than trimming.
CREATE OR REPLACE TEMP MACRO bare(id) AS
  CASE WHEN starts_with(id, ' ') OR ends_with(id, ' ') THEN trim(id) ELSE id END;

CREATE OR REPLACE TEMP MACRO no_id(id) AS id IS NULL OR bare(id) = '';

-- An id that no export writes: far too long, or with characters that are not printed.
CREATE OR REPLACE TEMP MACRO bad_id(id) AS
  length(id) > 2000 OR regexp_matches(id, '[\x00-\x1f\x7f]');

-- An id that names its platform already. Schemes of the platforms' own ids are no platforms.
CREATE OR REPLACE TEMP MACRO has_platform(id) AS
  regexp_matches(id, '^[a-z][a-z0-9_.-]*:.')
  AND split_part(id, ':', 1) NOT IN
    ('did', 'at', 'http', 'https', 'urn', 'acct', 'tag', 'mailto', 'doi', 'ipfs', 'magnet');

-- A handle in place of an id is compared without regard to case.
CREATE OR REPLACE TEMP MACRO native(id) AS
  CASE WHEN left(id, 1) = '@' THEN lower(id) ELSE id END;

CREATE OR REPLACE TEMP MACRO qualified(platform, id) AS
  platform || ':' || native(bare(id));

-- The host of a url, lower-case, without www., port and credentials.
CREATE OR REPLACE TEMP MACRO domain_of(url) AS
  nullif(regexp_replace(
    lower(regexp_extract(url, '^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?([^/?#:]+)', 1)),
    '^www\.|\.$', '', 'g'), '');

-- A domain as it is compared.
CREATE OR REPLACE TEMP MACRO plain_domain(name) AS
  regexp_replace(lower(trim(name)), '^www\.|\.$', '', 'g');

-- An id that names its platform, its handle compared without regard to case.
CREATE OR REPLACE TEMP MACRO with_native(id) AS
  split_part(trim(id), ':', 1) || ':' || native(substr(trim(id), strpos(trim(id), ':') + 1));

-- An id of X: digits only.
CREATE OR REPLACE TEMP MACRO x_id(id) AS regexp_full_match(id, '\d{1,20}');
