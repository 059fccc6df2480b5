"""The made-up issuer: the same for equal seeds, whole, plausible, and made of nothing that belongs to anybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from scripts import synth
from scripts.issuer.build import advance, count, create
from scripts.issuer.database import OWNER, READER, SCHEMAS, SynthRefused, connect
from scripts.issuer.population import Population
from scripts.local_stack.local_stack import Endpoints

pytestmark = pytest.mark.stack

FIRST_DAY, LAST_DAY, LATER = date(2023, 7, 25), date(2023, 8, 3), date(2023, 8, 7)
PEOPLE = Population(seed=7, first_day=FIRST_DAY, payments_a_day=700, members=500)
PUBLISHED_TEST_NUMBERS = (
    "4111111111111111", "4242424242424242", "4012888888881881",
    "5555555555554444", "5105105105105100", "3530111333300000",
)  # fmt: skip
Rows = list[tuple[Any, ...]]


class Database:
    """A database of these tests alone on the private primary."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, query: str) -> Rows:
        """Returns the rows of a query; ::date is the business date."""
        with psycopg.connect(self.url) as connection:
            connection.execute("SET TIME ZONE 'Asia/Tokyo'")
            return connection.execute(query.encode()).fetchall()

    def checksums(self) -> dict[str, tuple[Any, ...]]:
        """Returns number of rows and an order-free sum over all columns of every table."""
        with connect(self.url) as connection:
            tables = list(count(connection))
        return {
            table: self.ask(f"SELECT count(*), sum(hashtextextended(t::text, 0)) FROM {table} AS t")[0]
            for table in tables
        }


def _new_database(stack: Endpoints, name: str) -> Database:
    info = psycopg.conninfo.conninfo_to_dict(stack.primary_url)
    admin = psycopg.conninfo.make_conninfo(
        stack.primary_url, user="postgres", dbname="postgres", passfile=str(stack.root / "secrets" / "admin")
    )
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(OWNER)))
    return Database(f"postgresql://{OWNER}@{info['host']}:{info['port']}/{name}?passfile={info['passfile']}")


@pytest.fixture(scope="module")
def made(stack: Endpoints) -> Iterator[Database]:
    """Returns a database that stands at the end of LATER, having advanced there from LAST_DAY."""
    database = _new_database(stack, "synth_made")
    create(database.url, PEOPLE, LAST_DAY)
    advance(database.url, LATER)
    return database


@pytest.fixture(scope="module")
def other(stack: Endpoints) -> Database:
    """Returns a database to build anew."""
    return _new_database(stack, "synth_other")


def test_equal_seeds_give_equal_rows_and_other_seeds_others(other: Database) -> None:
    """A table's checksum is a function of the seed."""
    create(other.url, PEOPLE, LAST_DAY, sessions=1)
    once = other.checksums()
    create(other.url, PEOPLE, LAST_DAY, sessions=3)
    assert other.checksums() == once
    create(other.url, Population(8, FIRST_DAY, 700, 500), LAST_DAY)
    different = {table for table, sums in other.checksums().items() if sums != once[table]}
    assert different == set(once)


def test_days_that_pass_one_by_one_end_where_create_would_have(made: Database, other: Database) -> None:
    """`advance` day by day and `create` up to the same day give the same rows, changed ones included."""
    create(other.url, PEOPLE, LATER)
    assert made.checksums() == other.checksums()


def test_a_day_brings_new_late_and_changed_rows(other: Database) -> None:
    """`advance` inserts the new day, rows of the two days before that arrive only now, and changes older rows."""
    create(other.url, PEOPLE, LAST_DAY)
    before = dict(other.ask("SELECT payment_id, updated_at FROM ledger.payments"))
    late_clearings = {key for (key,) in other.ask("SELECT clearing_id FROM ledger.clearings")}
    tomorrow = advance(other.url)
    assert tomorrow == LAST_DAY + timedelta(days=1)
    rows = other.ask("SELECT payment_id, authorized_at::date, updated_at, status FROM ledger.payments")
    days = [day for key, day, _, _ in rows if key not in before]
    assert days.count(tomorrow) > len(days) * 0.9
    late = set(days) - {tomorrow}
    assert late
    assert late <= {tomorrow - timedelta(days=1), tomorrow - timedelta(days=2)}
    changed = {status for key, _, updated, status in rows if key in before and updated != before[key]}
    assert changed == {"reversed"}
    cleared = other.ask("SELECT clearing_id, cleared_at::date FROM ledger.clearings")
    assert {day for key, day in cleared if key not in late_clearings} > {tomorrow}


def test_the_scale_is_the_number_of_payments(other: Database) -> None:
    """`create --scale` gives about that many payments and exit code 0."""
    arguments = [
        "create",
        "--url",
        other.url,
        "--scale",
        "4000",
        "--first-day",
        "2023-02-26",
        "--last-day",
        "2023-03-03",
    ]
    assert synth.main(arguments) == 0
    rows, first, last = other.ask(
        "SELECT count(*), min(authorized_at::date), max(authorized_at::date) FROM ledger.payments"
    )[0]
    assert 3900 <= rows <= 4000
    assert (first, last) == (date(2023, 2, 26), date(2023, 3, 3))


def test_every_table_has_rows_and_every_reference_holds(made: Database) -> None:
    """No table is empty; PostgreSQL proves every foreign key, which the generator leaves to the rows' construction."""
    assert all(rows for rows, _ in made.checksums().values())
    references = made.ask("SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'f'")
    assert len(references) >= 25
    with psycopg.connect(made.url) as connection:
        for table, name in references:
            connection.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}".encode())


NEVER = {
    "a member without an approved application": """
        SELECT FROM issuing.members JOIN issuing.applications AS a USING (application_id)
        WHERE a.status <> 'approved'""",
    "an approved application without a member": """
        SELECT FROM issuing.applications AS a LEFT JOIN issuing.members AS m USING (application_id)
        WHERE a.status = 'approved' AND m IS NULL""",
    "a screening that decided otherwise than the application says": """
        SELECT FROM issuing.credit_screenings AS s JOIN issuing.applications AS a USING (application_id)
        WHERE s.decision::text <> a.status::text""",
    "a card before its membership": """
        SELECT FROM issuing.cards AS c JOIN issuing.members AS m USING (member_id)
        WHERE c.issued_at < m.registered_at""",
    "a payment with somebody else's card": """
        SELECT FROM ledger.payments AS p JOIN issuing.cards AS c USING (card_id)
        WHERE p.member_id <> c.member_id OR p.pan <> c.pan""",
    "a payment before its card": """
        SELECT FROM ledger.payments AS p JOIN issuing.cards AS c USING (card_id) WHERE p.authorized_at < c.issued_at""",
    "a claim on a payment that was not approved, or before it": """
        SELECT FROM ledger.clearings JOIN ledger.payments USING (payment_id)
        WHERE payments.status <> 'approved' OR cleared_at < authorized_at""",
    "a statement that is paid otherwise than by repayments": """
        SELECT FROM ledger.statements AS s LEFT JOIN ledger.repayments AS r USING (statement_id)
        GROUP BY s.statement_id HAVING s.paid <> coalesce(sum(r.amount), 0)""",
    "a statement whose status and money disagree": """
        SELECT FROM ledger.statements
        WHERE paid > billed OR (status = 'settled') <> (paid = billed)
           OR (status = 'settled') <> (settled_on IS NOT NULL)""",
    "an overdue statement without a delinquency": """
        SELECT FROM ledger.statements AS s LEFT JOIN collections.delinquencies AS d USING (statement_id)
        WHERE s.status = 'overdue' AND d IS NULL""",
    "a cured delinquency of an unsettled statement": """
        SELECT FROM collections.delinquencies AS d JOIN ledger.statements AS s USING (statement_id)
        WHERE (d.status = 'cured') <> (s.status = 'settled')""",
    "a contact outside its delinquency": """
        SELECT FROM collections.dunning_contacts JOIN collections.delinquencies AS d USING (delinquency_id)
        WHERE contacted_at::date >= d.closed_on OR contacted_at::date < d.overdue_since""",
}


@pytest.mark.parametrize("case", NEVER)
def test_the_business_makes_sense(made: Database, case: str) -> None:
    """No row breaks the course of business: approval before membership, card before payment, payment before claim."""
    assert made.ask(f"SELECT count(*) FROM ({NEVER[case]}) AS found") == [(0,)]


def test_a_month_inside_the_calendar_is_billed_to_the_yen(other: Database) -> None:
    """A statement of a month that lies wholly within the days of payments bills what was cleared in it."""
    create(other.url, Population(3, date(2023, 7, 1), 100, 200), date(2023, 8, 5))
    off = other.ask("""
        SELECT count(*), count(*) FILTER (WHERE s.billed IS DISTINCT FROM c.sum)
        FROM (SELECT * FROM ledger.statements WHERE month = '2023-07-01') AS s
        FULL JOIN (SELECT member_id, sum(c.amount_jpy) FROM ledger.clearings AS c JOIN issuing.cards USING (card_id)
                   WHERE cleared_at >= '2023-07-01' AND cleared_at < '2023-08-01' GROUP BY 1) AS c USING (member_id)
    """)
    assert off[0][0] > 0
    assert off[0][1] == 0


def test_card_numbers_are_of_published_test_ranges_only(made: Database) -> None:
    """Every card number passes Luhn, is unique, and begins like a published test number; texts hold no other ones."""
    numbers = [number for (number,) in made.ask("SELECT pan FROM issuing.cards")]
    assert len(set(numbers)) == len(numbers)
    assert all(_passes_luhn(number) for number in numbers)
    prefixes = {number[:8] for number in PUBLISHED_TEST_NUMBERS}
    assert {number[:8] for number in numbers} <= prefixes
    memos = [memo for (memo,) in made.ask("SELECT memo FROM ledger.payments WHERE memo IS NOT NULL")]
    spelled = [
        re.sub(r"[ -]", "", found)
        for memo in memos
        for found in re.findall(r"\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{4}", memo)
    ]
    assert {str(int(number)) for number in spelled} <= set(numbers)
    assert any(memo != memo.translate(str.maketrans("０１２３４５６７８９", "0123456789")) for memo in memos)


def test_people_cannot_be_reached(made: Database) -> None:
    """Mobile numbers are of a block that is not assigned; e-mail goes to example domains."""
    rows = made.ask("SELECT email, phone FROM issuing.members UNION ALL SELECT email, phone FROM issuing.applications")
    assert {email.split("@")[1].lower() for email, _ in rows} == {"example.com", "example.co.jp"}
    assert all(re.fullmatch(r"0[789]0-0\d{3}-\d{4}", phone) for _, phone in rows)


def test_my_numbers_have_the_right_check_digit(made: Database) -> None:
    """Detectors find them: eleven digits and the check digit of the ordinance."""
    numbers = [
        number for (number,) in made.ask("SELECT my_number FROM issuing.ekyc_documents WHERE my_number IS NOT NULL")
    ]
    assert len(numbers) > 20
    for number in numbers:
        digits = [int(digit) for digit in reversed(number[:11])]
        rest = sum(digit * (n + 1 if n <= 6 else n - 5) for n, digit in enumerate(digits, 1)) % 11
        assert int(number[11]) == (0 if rest <= 1 else 11 - rest)


def test_rows_stand_on_the_edges_of_the_days(made: Database) -> None:
    """Every business day has payments at midnight in Japan, at midnight UTC, and a microsecond before either."""
    edges = made.ask("""
        SELECT authorized_at::date, count(*) FILTER (WHERE authorized_at::time = '00:00'),
               count(*) FILTER (WHERE authorized_at::time = '08:59:59.999999'),
               count(*) FILTER (WHERE authorized_at::time = '09:00'),
               count(*) FILTER (WHERE authorized_at::time = '23:59:59.999999')
        FROM ledger.payments GROUP BY 1
    """)
    assert len(edges) == (LATER - FIRST_DAY).days + 1
    late = [row for row in edges if 0 in row]
    assert len(late) <= 2  # an edge row may itself be late
    assert made.ask("SELECT count(*) > 0 FROM ledger.repayments WHERE repaid_at::time = '00:00'") == [(True,)]


def test_payments_have_their_twenty_columns(made: Database) -> None:
    """The table that the benchmarks read keeps its shape."""
    columns = made.ask("SELECT attname FROM pg_attribute WHERE attrelid = 'ledger.payments'::regclass AND attnum > 0")
    assert len(columns) == 20


def test_the_reader_may_read_and_nothing_else(made: Database) -> None:
    """Tables belong to the owner; the reader has SELECT on each of them and no other privilege."""
    listed = ", ".join(f"'{name}'" for name in SCHEMAS)
    rows = made.ask(f"""
        SELECT relname, relowner::regrole::text, has_table_privilege('{READER}', oid, 'SELECT'),
               has_table_privilege('{READER}', oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
        FROM pg_class WHERE relkind = 'r' AND relnamespace::regnamespace::text IN ({listed})
    """)
    assert len(rows) == 16
    assert {row[1:] for row in rows} == {(OWNER, True, False)}


def test_rows_by_hand_do_not_meet_generated_ones(made: Database) -> None:
    """A row that somebody inserts gets an id far from those that later days will use."""
    with psycopg.connect(made.url) as connection:
        (number,) = connection.execute("""
            INSERT INTO ledger.payments (
                card_id, member_id, pan, merchant_id, merchant_name, merchant_category, amount, currency, amount_jpy,
                status, entry_mode, is_recurring, authorized_at, updated_at
            )
            SELECT card_id, member_id, pan, 'M000000', 'x', '5411', 1, 'JPY', 1,
                   'declined', 'chip', false, '2000-01-01', '2000-01-01'
            FROM issuing.cards LIMIT 1 RETURNING payment_id
        """).fetchone() or (0,)
        connection.rollback()
    assert number >= 900_000_000_000


def test_a_standby_is_refused(stack: Endpoints, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is dropped or written over a connection to the standby; exit code 2."""
    assert synth.main(["create", "--url", stack.source_url]) == 2
    assert "standby" in capsys.readouterr().err


def test_days_that_have_passed_are_refused(made: Database) -> None:
    """Time does not run backwards."""
    with pytest.raises(SynthRefused, match="has passed"):
        advance(made.url, FIRST_DAY)


def test_foreign_tables_are_never_dropped(stack: Endpoints) -> None:
    """A database with a schema of the same name that was not made here is left alone."""
    database = _new_database(stack, "synth_foreign")
    with psycopg.connect(database.url) as connection:
        connection.execute("CREATE SCHEMA ledger")
    with pytest.raises(SynthRefused, match="did not make"):
        create(database.url, PEOPLE, LAST_DAY)
    assert database.ask("SELECT count(*) FROM pg_namespace WHERE nspname = 'ledger'") == [(1,)]


def _passes_luhn(number: str) -> bool:
    digits = [int(digit) for digit in reversed(number)]
    return sum(d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(digits)) % 10 == 0
