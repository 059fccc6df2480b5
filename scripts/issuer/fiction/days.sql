-- The business days that hold payments: when each begins in Japan, its payments' ids, and how many cards existed before it.
CREATE TABLE synth.days (
    day date NOT NULL PRIMARY KEY,
    starts timestamptz NOT NULL,
    first_payment bigint NOT NULL,
    payments integer NOT NULL,
    cards bigint
);

-- What a later `advance` must know: the parameters of `create` and the last business day.
CREATE TABLE synth.settings (population jsonb NOT NULL);

-- What each member was billed a month, before anything is paid back.
CREATE UNLOGGED TABLE synth.bills (statement_id bigint NOT NULL, member_id bigint NOT NULL, month date NOT NULL, billed bigint NOT NULL);
