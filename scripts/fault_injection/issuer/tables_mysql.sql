-- The very small issuer of tables.sql once more, as MariaDB holds it.
DROP DATABASE IF EXISTS small;
CREATE DATABASE small;
USE small;
CREATE TABLE small.teams (
    team_id bigint PRIMARY KEY,
    name varchar(40) NOT NULL,
    contact_email varchar(80),
    supporters bigint NOT NULL,
    updated_at timestamp(6) NOT NULL DEFAULT current_timestamp(6)
);
CREATE TABLE small.gifts (
    gift_id bigint PRIMARY KEY,
    member_id bigint NOT NULL,
    team_id bigint NOT NULL,
    pan varchar(19) NOT NULL,
    points bigint NOT NULL,
    granted_at timestamp(6) NOT NULL DEFAULT current_timestamp(6)
);
CREATE TABLE small.followers (
    follower_id bigint PRIMARY KEY,
    team_id bigint NOT NULL,
    visits bigint NOT NULL,
    updated_at timestamp(6) NOT NULL DEFAULT current_timestamp(6)
);
CREATE TABLE small.standings (
    team_id bigint PRIMARY KEY,
    points bigint NOT NULL
);
SET time_zone = '+09:00';
INSERT INTO small.followers
SELECT seq, 1 + seq % 40, seq, TIMESTAMP '2023-08-01 00:00:00' + INTERVAL seq HOUR FROM seq_1_to_120;
INSERT INTO small.standings SELECT seq, seq * 3 FROM seq_1_to_40;
INSERT INTO small.teams
SELECT seq, concat('team ', seq), concat('team', seq, '@example.jp'), 100 + seq, '2023-08-01 00:00:00' FROM seq_1_to_40;
INSERT INTO small.gifts
SELECT seq, seq % 17, 1 + seq % 40, '4111111111111111', 10 + seq, TIMESTAMP '2023-08-28 09:00:00' + INTERVAL seq % 3 DAY
FROM seq_1_to_300;
GRANT SELECT ON small.* TO 'etl_reader'@'127.0.0.1';
