-- How things take their course: each function gives the rows as they stand at the end of one business day, so `create` up to
-- a day and `advance` to the same day end in the same rows. The session's time zone is Asia/Tokyo: ::date is the business date.

-- The end of an application: 8 in 100 give up, 5 fail eKYC, 19 fail the screening, the rest get a card.
CREATE FUNCTION synth.verdict(noise bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN synth.below(100, noise, 0) < 8 THEN 'withdrawn' WHEN synth.below(100, noise, 0) < 13 THEN 'rejected'
                WHEN synth.below(100, noise, 0) < 32 THEN 'declined' ELSE 'approved' END
$$;

-- Decided within two days, in office hours.
CREATE FUNCTION synth.decided_at(applied date, noise bigint) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT applied::timestamptz + synth.below(3, noise, 20) * interval '1 day' + interval '9 hours'
           + synth.below(32400, noise, 40) * interval '1 second'
$$;

-- Members who leave do so between two months and three years after they joined.
CREATE FUNCTION synth.leaves_on(member_id bigint, joined date) RETURNS date LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN synth.below(100, synth.noise(member_id, 41), 0) < 12
                THEN joined + 60 + synth.below(1000, synth.noise(member_id, 41), 20)::integer END
$$;

-- One in seven members gets a second, physical card between a month and two years after joining; it replaces the first.
CREATE FUNCTION synth.reissued_on(member_id bigint, joined date) RETURNS date LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN synth.below(7, synth.noise(member_id, 42), 0) = 0
                THEN joined + 30 + synth.below(700, synth.noise(member_id, 42), 20)::integer END
$$;

-- A payment that is taken back is so on the second or third day after it was authorized.
CREATE FUNCTION synth.reversed_on(payment_id bigint, day date) RETURNS date LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN synth.below(1000, synth.noise(payment_id, 43), 0) < 12
                THEN day + 2 + synth.below(2, synth.noise(payment_id, 43), 20)::integer END
$$;

-- A member's own pace of paying back, and the days and amounts that follow from it. A null day means never.
-- p1..p3: the day on which the money is posted, up to two days after it was paid.
CREATE FUNCTION synth.repayment_courses() RETURNS TABLE (
    statement_id bigint, member_id bigint, month date, billed bigint, closed_on date, due_on date, pace text,
    a1 bigint, d1 date, p1 date, a2 bigint, d2 date, p2 date, a3 bigint, d3 date, p3 date
) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT s.statement_id, s.member_id, s.month, s.billed, s.closed_on, s.closed_on + 22, s.pace,
           s.a1, s.d1, s.d1 + synth.days_late(s.r, 0), s.a2, s.d2, s.d2 + synth.days_late(s.r, 10),
           s.billed - s.a1 - s.a2, s.d3, s.d3 + synth.days_late(s.r, 20)
    FROM (
        SELECT b.*,
               CASE pace WHEN 'once' THEN billed WHEN 'thirds' THEN billed * 4 / 10 ELSE billed * 3 / 10 END AS a1,
               CASE WHEN pace <> 'never' THEN closed_on + 1 + synth.below(18, r, 30)::integer END AS d1,
               CASE pace WHEN 'once' THEN 0 WHEN 'thirds' THEN billed * 3 / 10 ELSE 0 END AS a2,
               CASE pace WHEN 'thirds' THEN closed_on + 19 END AS d2,
               CASE pace WHEN 'thirds' THEN closed_on + 20 WHEN 'late' THEN closed_on + 24 + synth.below(70, r, 40)::integer END AS d3
        FROM (
            SELECT b.statement_id, b.member_id, b.month, b.billed, (b.month + interval '1 month 4 days')::date AS closed_on,
                   synth.noise(b.statement_id, 51) AS r,
                   -- The slower a member pays in general, the likelier is this statement late or never paid.
                   CASE WHEN synth.below(100, synth.noise(b.member_id, 52), 0) < 58 THEN 'once'
                        WHEN synth.below(100, synth.noise(b.member_id, 52), 0) < 84 THEN 'thirds'
                        WHEN synth.below(100, synth.noise(b.statement_id, 53), 0) < 55 THEN 'once'
                        WHEN synth.below(100, synth.noise(b.statement_id, 53), 0) < 90 THEN 'late'
                        ELSE 'never' END AS pace
            FROM synth.bills AS b
            OFFSET 0  -- computed once, not wherever it is used
        ) AS b
        OFFSET 0
    ) AS s
$$;

CREATE FUNCTION synth.statements_on(today date) RETURNS SETOF ledger.statements LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT s.statement_id, s.member_id, s.month, s.billed::numeric(14, 0), least(s.billed, greatest(1000, s.billed / 10))::numeric(14, 0),
           s.paid::numeric(14, 0),
           (CASE WHEN s.paid = s.billed THEN 'settled' WHEN today > s.due_on THEN 'overdue' ELSE 'open' END)::ledger.statement_status,
           s.closed_on, s.due_on, CASE WHEN s.paid = s.billed THEN s.last_posted END,
           s.closed_on::timestamptz + interval '10 minutes',
           greatest(s.closed_on, s.last_posted, CASE WHEN today > s.due_on AND (s.paid < s.billed OR s.last_posted > s.due_on)
                                                     THEN s.due_on + 1 END)::timestamptz + interval '3 hours'
    FROM (
        SELECT *, CASE WHEN p1 <= today THEN a1 ELSE 0 END + CASE WHEN p2 <= today THEN a2 ELSE 0 END
                  + CASE WHEN p3 <= today THEN a3 ELSE 0 END AS paid,
               greatest(CASE WHEN p1 <= today THEN p1 END, CASE WHEN p2 <= today THEN p2 END, CASE WHEN p3 <= today THEN p3 END) AS last_posted
        FROM synth.repayment_courses()
    ) AS s
$$;

-- A statement that is not wholly paid on its due date becomes a delinquency the day after; written off after 90 days.
CREATE FUNCTION synth.delinquencies_on(today date) RETURNS SETOF collections.delinquencies LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT d.statement_id, d.statement_id, d.member_id, d.due_on + 1, d.days::smallint,
           CASE WHEN d.days <= 14 THEN '1-14' WHEN d.days <= 30 THEN '15-30' WHEN d.days <= 60 THEN '31-60' ELSE '61-91' END,
           d.principal::numeric(14, 0), round(d.principal * d.days * 0.146 / 365, 2)::numeric(12, 2),
           (CASE WHEN d.cured_on <= today THEN 'cured' WHEN today > d.due_on + 90 THEN 'written_off' ELSE 'open' END)::collections.delinquency_status,
           CASE WHEN d.days > 10 THEN 2 + 5 * synth.below(6, synth.noise(d.statement_id, 61), 0)::integer END,
           CASE synth.below(12, synth.noise(d.statement_id, 61), 20)
               WHEN 0 THEN '本人' || m.phone || 'へ架電。来月払うとのこと' WHEN 1 THEN '勤務先変更。新メール ' || m.email
               WHEN 2 THEN '住所 ' || m.address || ' 転居の可能性' END,
           CASE WHEN d.ended_on <= today THEN d.ended_on END, least(d.ended_on, today)::timestamptz + interval '2 hours'
    FROM (
        SELECT *, least(today, ended_on) - due_on AS days
        FROM (
            SELECT *, least(cured_on, due_on + 91) AS ended_on
            FROM (
                SELECT *, CASE pace WHEN 'never' THEN NULL ELSE greatest(p1, p2, p3) END AS cured_on,
                       billed - CASE WHEN p1 <= due_on THEN a1 ELSE 0 END - CASE WHEN p2 <= due_on THEN a2 ELSE 0 END
                       - CASE WHEN p3 <= due_on THEN a3 ELSE 0 END AS principal
                FROM synth.repayment_courses()
            ) AS c
            WHERE principal > 0 AND due_on < today
        ) AS c
    ) AS d
    JOIN issuing.members AS m USING (member_id)
$$;

-- The days that shape a member's cards.
CREATE VIEW synth.membership AS
SELECT member_id, name_roman, registered_at, registered_at::date AS joined,
       synth.leaves_on(member_id, registered_at::date) AS leaves_on, synth.reissued_on(member_id, registered_at::date) AS reissued_on
FROM issuing.members
WHERE member_id < 900000000000;  -- members that people inserted by hand live a life of their own
