-- Pseudo-randomness: every made-up value is a pure function of (seed, id, salt), so equal seeds give equal rows.
-- One-expression SQL functions are inlined by the planner: they cost what the expression costs.
-- {seed} is the only placeholder of this file.
CREATE FUNCTION synth.noise(id bigint, salt bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT hashint8extended(id, {seed} * 1000 + salt) $$;

-- An integer in [0, n), n <= 1,000,000, from 20 of the 64 bits; shifts 0, 20 and 40 are independent of each other.
CREATE FUNCTION synth.below(n bigint, noise bigint, shift integer) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT (((noise >> shift) & 1048575) * n) >> 20 $$;

-- A number in [0, 1) from 32 of the 64 bits; shifts 0 and 32.
CREATE FUNCTION synth.unit(noise bigint, shift integer) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT ((noise >> shift) & 4294967295) / 4294967296.0::double precision $$;

-- A key of 128 bits. `kind` keeps the keys of different tables apart; it must not be another noise's salt.
CREATE FUNCTION synth.key(kind bigint, id bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT encode(int8send(synth.noise(id, kind)) || int8send(synth.noise(id, kind + 1)), 'hex')::uuid $$;

CREATE FUNCTION synth.digits(n bigint, length integer) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT lpad(n::text, length, '0') $$;

-- The Luhn check digit of a 15-digit payload: every other digit, from the last one on, is doubled and its digits are added
-- (ISO/IEC 7812-1, annex B). Written out, because an expression costs a hundredth of a loop.
CREATE FUNCTION synth.luhn(payload bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT ((10 - ((ARRAY[0, 2, 4, 6, 8, 1, 3, 5, 7, 9])[1 + payload / 1 % 10] + payload / 10 % 10
                + (ARRAY[0, 2, 4, 6, 8, 1, 3, 5, 7, 9])[1 + payload / 100 % 10] + payload / 1000 % 10
                + (ARRAY[0, 2, 4, 6, 8, 1, 3, 5, 7, 9])[1 + payload / 10000 % 10] + payload / 100000 % 10
                + (ARRAY[0, 2, 4, 6, 8, 1, 3, 5, 7, 9])[1 + payload / 1000000 % 10] + payload / 10000000 % 10
                + (ARRAY[0, 2, 4, 6, 8, 1, 3, 5, 7, 9])[1 + payload / 100000000 % 10] + payload / 1000000000 % 10
                + (ARRAY[0, 2, 4, 6, 8, 1, 3, 5, 7, 9])[1 + payload / 10000000000 % 10] + payload / 100000000000 % 10
                + (ARRAY[0, 2, 4, 6, 8, 1, 3, 5, 7, 9])[1 + payload / 1000000000000 % 10] + payload / 10000000000000 % 10
                + (ARRAY[0, 2, 4, 6, 8, 1, 3, 5, 7, 9])[1 + payload / 100000000000000 % 10]) % 10) % 10)::text
$$;

-- Card numbers start with eight digits of the card brands' published test numbers, so no live card is ever met.
-- 7368787 has no factor 2 or 5: the seven free digits do not repeat for 10,000,000 cards.
CREATE FUNCTION synth.pan_payload(card_id bigint, noise bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT (ARRAY[41111111, 42424242, 40128888, 41111111, 42424242, 41111111, 42424242, 55555555, 51051051, 35301113]
            )[1 + synth.below(10, noise, 0)]::bigint * 10000000 + (card_id * 7368787 + {seed}) % 10000000
$$;

-- My Number: eleven digits and a check digit over the weights 2..7, 2..6 from the right (Ordinance of the Ministry of
-- Internal Affairs and Communications No. 85 of 2014, art. 5).
CREATE FUNCTION synth.my_number(eleven bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT synth.digits(eleven, 11) || (11 - greatest(1, (2 * (eleven / 1 % 10) + 3 * (eleven / 10 % 10) + 4 * (eleven / 100 % 10) + 5 * (eleven / 1000 % 10)
               + 6 * (eleven / 10000 % 10) + 7 * (eleven / 100000 % 10) + 2 * (eleven / 1000000 % 10) + 3 * (eleven / 10000000 % 10)
               + 4 * (eleven / 100000000 % 10) + 5 * (eleven / 1000000000 % 10) + 6 * (eleven / 10000000000 % 10)) % 11)) % 10
$$;

-- Mobile numbers whose fourth digit is 0: none is assigned in Japan, so nobody is ever called.
CREATE FUNCTION synth.phone(noise bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT (ARRAY['090', '080', '070'])[1 + synth.below(3, noise, 0)] || '-' || synth.digits(synth.below(1000, noise, 20), 4)
           || '-' || synth.digits(synth.below(10000, noise, 40), 4)
$$;

-- How people spell a card number when they type it into a form.
CREATE FUNCTION synth.spelled(pan text, way bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE way
        WHEN 0 THEN pan
        WHEN 1 THEN substr(pan, 1, 4) || ' ' || substr(pan, 5, 4) || ' ' || substr(pan, 9, 4) || ' ' || substr(pan, 13)
        WHEN 2 THEN substr(pan, 1, 4) || '-' || substr(pan, 5, 4) || '-' || substr(pan, 9, 4) || '-' || substr(pan, 13)
        ELSE translate(pan, '0123456789', '０１２３４５６７８９')
    END
$$;

-- The business day on which a row reaches the database: most at once, a few one or two days late.
CREATE FUNCTION synth.days_late(noise bigint, shift integer) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN ((noise >> shift) & 1023) < 5 THEN 1 WHEN ((noise >> shift) & 1023) < 8 THEN 2 ELSE 0 END $$;
