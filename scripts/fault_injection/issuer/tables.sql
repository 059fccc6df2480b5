-- A very small issuer: what a load does at its boundaries does not depend on how much is loaded.
-- `version` is turned to and fro by the harness, so that what is published differs from what is to be published.
DROP SCHEMA IF EXISTS small CASCADE;
CREATE SCHEMA small;
CREATE TABLE small.teams (
    team_id bigint PRIMARY KEY,
    name text NOT NULL,
    contact_email text,
    supporters bigint NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE TABLE small.gifts (
    gift_id bigint PRIMARY KEY,
    member_id bigint NOT NULL,
    team_id bigint NOT NULL,
    pan text NOT NULL,
    points bigint NOT NULL,
    granted_at timestamptz NOT NULL
);
CREATE TABLE small.followers (
    follower_id bigint PRIMARY KEY,
    team_id bigint NOT NULL,
    visits bigint NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE TABLE small.standings (
    team_id bigint PRIMARY KEY,
    points bigint NOT NULL
);
INSERT INTO small.followers
SELECT n, 1 + n % 40, n, '2023-08-01 00:00:00+09'::timestamptz + n * interval '1 hour' FROM generate_series(1, 120) AS n;
INSERT INTO small.standings
SELECT n, n * 3 FROM generate_series(1, 40) AS n;
INSERT INTO small.teams
SELECT n, 'team ' || n, 'team' || n || '@example.jp', 100 + n, '2023-08-01 00:00:00+09'
FROM generate_series(1, 40) AS n;
INSERT INTO small.gifts
SELECT n, n % 17, 1 + n % 40, '4111111111111111', 10 + n, '2023-08-28 09:00:00+09'::timestamptz + n % 3 * interval '1 day'
FROM generate_series(1, 300) AS n;
GRANT USAGE ON SCHEMA small TO etl_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA small TO etl_reader;
