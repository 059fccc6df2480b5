"""Each rule of the policy finds what it is for, names the clause, and leaves what is right alone."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from masking.policy import (
    POLICY,
    RULES,
    ColumnClass,
    Finding,
    PolicyColumn,
    PolicyJoin,
    Profile,
    check_column,
    check_policy,
)
from masking.policy.names import meaning
from masking.strategies import AnyStrategy, Strategy

ROOT = Path(__file__).resolve().parents[3]
STRATEGIES: TypeAdapter[Strategy] = TypeAdapter(AnyStrategy)
NAMES = sorted(STRATEGIES.json_schema()["discriminator"]["mapping"])
KEEP = {"strategy": "keep", "why": "a fixed code"}
EXAMPLES = {
    "keep": KEEP,
    "tokenize": {"strategy": "tokenize", "domain": "card"},
    "pseudonymize": {"strategy": "pseudonymize", "domain": "card"},
    "fpe": {"strategy": "fpe", "domain": "card"},
    "truncate_pan": {"strategy": "truncate_pan", "keep_first": 6, "keep_last": 4},
    "partial": {"strategy": "partial", "keep_last": 4},
    "generalize_date": {"strategy": "generalize_date", "to": "year"},
    "shift_date": {"strategy": "shift_date", "domain": "member", "entity": "member_id"},
    "bucket": {"strategy": "bucket", "edges": [1, 2]},
    "round": {"strategy": "round", "to": 10},
    "json_fields": {"strategy": "json_fields", "fields": {"a": KEEP}},
}


def mask(strategy: str, **changed: object) -> Strategy:
    """Returns a strategy with example parameters, some of them changed."""
    return STRATEGIES.validate_python({"strategy": strategy, **EXAMPLES.get(strategy, {}), **changed})


def column(
    name: str, column_class: str, strategy: Strategy, *, table: str = "cards", control: str = ""
) -> PolicyColumn:
    """Returns a column of dataset `issuing`."""
    return PolicyColumn(table, "issuing", name, ColumnClass(column_class), strategy, control)


KEY = PolicyColumn("cards", "issuing", "key", ColumnClass.IDENTIFIER, mask("tokenize", domain="key"), in_every_row=True)
"""Names the key version of every row of `cards`."""


def ids(found: tuple[Finding, ...]) -> list[str]:
    """Returns the rules that were broken, in the order of findings."""
    return [finding.rule.id for finding in found]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("column_class", ColumnClass)
def test_a_class_allows_what_its_table_says(column_class: ColumnClass, name: str) -> None:
    """A strategy outside the class's list gives one finding with the class's rule, clause and advice; others none."""
    finding = check_column(column_class, mask(name))
    allowed = POLICY[column_class].allowed
    assert (finding is None) == (allowed is None or name in allowed)
    if finding:
        assert (finding.rule.id, finding.rule.clause) == (POLICY[column_class].rule, POLICY[column_class].clause)
        assert finding.rule.todo
        assert name in finding.message


def test_every_strategy_of_the_table_exists() -> None:
    """The policy allows no strategy that a contract could not name."""
    assert {name for policy in POLICY.values() for name in policy.allowed or ()} <= set(NAMES)


@pytest.mark.parametrize("column_class", sorted(set(ColumnClass) - {ColumnClass.NONE}))
def test_only_what_names_nobody_may_be_kept(column_class: ColumnClass) -> None:
    """No class of personal or card data may be published as it is."""
    assert check_column(column_class, mask("keep"))


@pytest.mark.parametrize(
    ("column_class", "rule"),
    [
        ("sensitive_authentication", "KG001"),
        ("pan", "KG002"),
        ("national_id", "KG003"),
        ("phone", "KG004"),
        ("free_text", "KG005"),
    ],
)
def test_the_gravest_classes_have_rules_of_their_own(column_class: str, rule: str) -> None:
    """A kept column of the class breaks the rule that names the requirement."""
    assert ids(check_policy([column("x", column_class, mask("keep"))])) == [rule]


@pytest.mark.parametrize("token", ["fpe", "tokenize", "pseudonymize"])
def test_a_token_beside_a_truncation_is_found(token: str) -> None:
    """One dataset with a token of card numbers and a truncation of them breaks KG006 at the truncation."""
    columns = [
        KEY,
        column("pan", "pan", mask(token)),
        column("pan_shown", "pan", mask("truncate_pan"), table="payments"),
    ]
    (finding,) = check_policy(columns)
    assert (finding.rule.id, finding.table, finding.column) == ("KG006", "payments", "pan_shown")
    assert "cards.pan" in finding.message


def test_two_truncation_formats_are_found() -> None:
    """Two truncation formats in one dataset break KG006 on both sides; one format in two tables does not."""
    first, second = mask("truncate_pan", keep_first=6, keep_last=0), mask("truncate_pan", keep_first=0, keep_last=4)
    assert ids(check_policy([column("a", "pan", first), column("b", "pan", second)])) == ["KG006", "KG006"]
    assert not check_policy([column("a", "pan", first), column("a", "pan", first, table="payments")])


def test_a_named_compensating_control_or_another_dataset_is_accepted() -> None:
    """KG006 is silent where the contract names the control, and across datasets."""
    token = column("pan", "pan", mask("fpe"))
    named = column("shown", "pan", mask("truncate_pan"), control="separate access groups, reviewed yearly")
    elsewhere = PolicyColumn("payments", "support", "shown", ColumnClass.PAN, mask("truncate_pan"))
    assert not check_policy([KEY, token, named])
    assert not check_policy([KEY, token, elsewhere])


def test_too_small_an_ff1_domain_is_found() -> None:
    """BIN of eight and last four leave four digits of a card number: KG007."""
    small = mask("fpe", keep_first=8, keep_last=4)
    assert ids(check_policy([KEY, column("pan", "pan", small)])) == ["KG007"]
    assert not check_policy([KEY, column("pan", "pan", mask("fpe", keep_first=6))])


@pytest.mark.parametrize(
    "there",
    [
        mask("tokenize", domain="member"),
        mask("pseudonymize", domain="other"),
        mask("tokenize", domain="card", normalize=["trim"]),
    ],
)
def test_a_join_of_unlike_tokens_is_found(there: Strategy) -> None:
    """Joined columns with another domain, strategy or normalization break KG008 at the join."""
    columns = [
        column("card_id", "identifier", mask("tokenize"), table="payments"),
        column("card_id", "identifier", there),
    ]
    found = check_policy(columns, [PolicyJoin("payments", "card_id", "cards", "card_id")])
    broken = [finding for finding in found if finding.rule.id == "KG008"]
    assert [(finding.table, finding.column, finding.part) for finding in broken] == [("payments", "card_id", "joins")]


def test_a_join_of_like_tokens_is_fine() -> None:
    """Equal masks join, whatever they do about invalid values."""
    columns = [
        column("card_id", "identifier", mask("tokenize", on_invalid="null"), table="payments"),
        column("card_id", "identifier", mask("tokenize")),
    ]
    assert not check_policy(columns, [PolicyJoin("payments", "card_id", "cards", "card_id")])


@pytest.mark.parametrize("target", ["nothing", "cvv2"])
def test_a_join_that_leads_nowhere_is_found(target: str) -> None:
    """A join to a column that does not exist or is dropped breaks KG011."""
    columns = [
        column("card_id", "identifier", mask("tokenize"), table="payments"),
        column("cvv2", "sensitive_authentication", mask("drop")),
    ]
    assert ids(check_policy(columns, [PolicyJoin("payments", "card_id", "cards", target)])) == ["KG011"]


def test_one_domain_under_two_strategies_is_found() -> None:
    """A domain of tokenize and pseudonymize, or of two forms of fpe, breaks KG009; a date shift may share one."""
    token, other = column("a", "identifier", mask("tokenize")), column("b", "identifier", mask("pseudonymize"))
    assert ids(check_policy([token, other])) == ["KG009"]
    two_forms = [KEY, column("a", "pan", mask("fpe")), column("b", "pan", mask("fpe", keep_first=6))]
    assert ids(check_policy(two_forms)) == ["KG009"]
    shifted = column("born_on", "birth_date", mask("shift_date"))
    assert not check_policy([column("a", "identifier", mask("tokenize", domain="member")), shifted])


def test_a_domain_knows_one_set_of_own_cards() -> None:
    """KG009: tokens of fpe that avoid other own IINs are not those of their domain; tokens of cards avoid none."""
    here, there = (
        replace(column(name, "account_number", mask("fpe", format="digits")), own_iins=("411111",)) for name in "ab"
    )
    assert not check_policy([KEY, here, there])
    (finding,) = check_policy([KEY, here, replace(there, own_iins=())])
    assert (finding.rule.id, finding.column) == ("KG009", "b")
    assert "own_iins" in finding.message
    cards = [column("a", "pan", mask("fpe")), replace(column("b", "pan", mask("fpe")), own_iins=("411111",))]
    assert not check_policy([KEY, *cards])


def test_a_domain_inside_a_document_counts() -> None:
    """A field of a JSON document shares the rules of its domain."""
    document = mask("json_fields", fields={"card": {"strategy": "pseudonymize", "domain": "card"}})
    assert ids(check_policy([column("a", "identifier", mask("tokenize")), column("b", "free_text", document)])) == [
        "KG009"
    ]


def test_unlike_normalization_in_a_domain_is_a_warning() -> None:
    """Columns of one domain with other normalization break KG013, which is a warning."""
    columns = [column("a", "phone", mask("tokenize")), column("b", "phone", mask("tokenize", normalize=["jp_phone"]))]
    (finding,) = check_policy(columns)
    assert (finding.rule.id, finding.rule.severity) == ("KG013", "warning")


def test_fpe_tokens_whose_version_nothing_names_are_found() -> None:
    """KG014: only a tokenize column that no row lacks, in the same table, names the key version of fpe tokens."""
    pan, token = column("pan", "pan", mask("fpe")), column("card_id", "identifier", mask("tokenize", domain="id"))
    (finding,) = check_policy([pan, token])
    assert (finding.rule.id, finding.rule.severity, finding.column) == ("KG014", "error", "pan")
    assert ids(check_policy([pan, replace(KEY, strategy=mask("pseudonymize", domain="id"))])) == ["KG014"]
    assert ids(check_policy([pan, replace(KEY, table="payments")])) == ["KG014"]
    assert not check_policy([pan, KEY])


@pytest.mark.parametrize("strategy", ["tokenize", "fpe"])
def test_the_pseudonymized_profile_forbids_reversible_strategies(strategy: str) -> None:
    """KG010 belongs to the profile `pseudonymized` alone; every other rule to both."""
    columns = [KEY, column("a", "identifier", mask(strategy)), column("b", "sensitive_authentication", mask("null"))]
    assert ids(check_policy(columns)) == ["KG001"]
    assert ids(check_policy(columns, profile=Profile.PSEUDONYMIZED)) == ["KG010", "KG010", "KG001"]
    assert not check_policy([column("a", "identifier", mask("pseudonymize"))], profile=Profile.PSEUDONYMIZED)


@pytest.mark.parametrize(
    ("name", "promised"),
    [
        ("cvv2", ColumnClass.SENSITIVE_AUTHENTICATION),
        ("card_number", ColumnClass.PAN),
        ("my_number", ColumnClass.NATIONAL_ID),
        ("member_email", ColumnClass.EMAIL),
        ("ip_address", ColumnClass.IP_ADDRESS),
        ("home_address", ColumnClass.ADDRESS),
        ("holder_name", ColumnClass.PERSON_NAME),
        ("internal_memo", ColumnClass.FREE_TEXT),
        ("email_verified_at", None),
        ("club_name", None),
        ("expansion", None),
        ("shipping", None),
    ],
)
def test_a_name_promises_a_class_by_its_last_words(name: str, promised: ColumnClass | None) -> None:
    """Column names tell what a value probably is, and derived flags or names of things do not."""
    assert meaning(name).column_class == (promised or ColumnClass.NONE)
    assert meaning(name).sensitive is (promised is not None)


def test_a_kept_column_named_like_personal_data_is_a_warning() -> None:
    """KG012 warns about class none and keep under such a name, and only then; the contract can answer."""
    (finding,) = check_policy([column("member_email", "none", mask("keep"))])
    assert (finding.rule.id, finding.rule.severity) == ("KG012", "warning")
    assert not check_policy([column("member_email", "none", mask("drop"))])
    assert not check_policy([column("member_email", "none", mask("keep"), control="the address of our own desk")])


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("card_num", "cards"), ("card_expiraion_date", "card"), ("expire_date", "card"), ("expires_at", "cards"),
        ("valid_until", "cards"), ("expmonth", "creditcard"), ("number", "credit_cards"), ("addr01", "dtb_customer"),
        ("zip01", "dtb_customer"), ("kana02", "dtb_customer"), ("order_name01", "dtb_order"), ("tel03", "dtb_order"),
        ("fax", "customers"), ("birth", "dtb_customer"), ("dob_yyyy_mm_dd", "customer"), ("accountnumber", "vendor"),
        ("rate", "employeepayhistory"), ("salary", "salaries"), ("fico_credit_score", "customer"), ("score", "t"),
        ("phone_number", "t"), ("kaiin_mei", "t"), ("ship_address", "orders"), ("氏名", "社員マスタ"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("column_class", ["none", "identifier"])
def test_the_linter_knows_what_discovery_knows(name: str, table: str, column_class: str) -> None:
    """Kept under a class of nobody, each name that discovery hides is a warning that the contract can answer."""
    kept = column(name, column_class, mask("keep"), table=table)
    assert "KG012" in ids(check_policy([kept]))
    assert "KG012" not in ids(check_policy([replace(kept, control="reviewed: no person's")]))


@pytest.mark.parametrize(
    "name",
    [
        "cvv_number", "cvvnumber", "pin_number", "card_cvv_cd", "pinBlock", "track2", "user_pwd", "passwordsalt", "ssn",
        "reminder_answer", "secret_key", "govt_issued_id", "nationalidnumber", "kojin_bango", "暗証番号",
    ],
)  # fmt: skip
@pytest.mark.parametrize("strategy", ["keep", "tokenize", "pseudonymize", "fpe", "partial", "null"])
@pytest.mark.parametrize("column_class", ["none", "identifier", "account_number"])
def test_what_is_named_like_authentication_data_can_only_be_dropped(
    name: str, strategy: str, column_class: str
) -> None:
    """KG015 is an error whatever the class, and nothing in a contract answers it; a time is something else."""
    named = column(name, column_class, mask(strategy), control="reviewed")
    found = [one for one in check_policy([KEY, named]) if one.rule.id == "KG015"]
    assert [one.rule.severity for one in found] == ["error"]
    assert not check_policy([KEY, replace(named, strategy=mask("drop"))])
    assert not [one for one in check_policy([KEY, replace(named, kind="timestamp")]) if one.rule.id == "KG015"]


@pytest.mark.parametrize(
    ("path", "rules"),
    [
        ("card.cvv", ["KG015"]), ("holder.myNumber", ["KG015"]), ("card.number", ["KG012"]), ("to[].email", ["KG012"]),
        ("plan.name", []), ("email_status", []), ("password_changed_at", []), ("amount", []), ("id", []),
    ],
)  # fmt: skip
def test_fields_of_documents_are_read_like_columns(path: str, rules: list[str]) -> None:
    """A field that is kept under such a path is a finding of the document's column, which names the path."""
    found = check_policy([column("payload", "free_text", mask("json_fields", fields={path: KEEP}))])
    assert ids(found) == rules
    assert all(one.message.startswith(f"{path}: ") and one.column == "payload" for one in found)


@pytest.mark.parametrize("strategy", ["tokenize", "drop", "pseudonymize"])
def test_a_mask_that_suits_the_name_is_no_finding(strategy: str) -> None:
    """A phone number called an identifier and made a token gives nothing away: no warning."""
    assert not check_policy([column("phone_number", "identifier", mask(strategy))])


def test_every_rule_says_what_why_and_what_to_do() -> None:
    """Rule ids are unique and ordered, and no rule comes without clause and advice."""
    assert list(RULES) == sorted(RULES)
    assert all(rule.demand.endswith(".") and rule.clause and rule.todo.endswith(".") for rule in RULES.values())


def test_the_page_is_up_to_date(tmp_path: Path) -> None:
    """masking/POLICY.md is what the code says."""
    command = [sys.executable, str(ROOT / "scripts" / "generate_policy.py"), "--check"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)  # noqa: S603 - our script
    assert checked.returncode == 0, checked.stderr
