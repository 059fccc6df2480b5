"""A change of contracts is judged by what can be seen afterwards and could not be seen before."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from masking.strategies import AnyStrategy
from schemas.contract import Contract
from schemas.contract_file import load_contracts
from schemas.exposure import Change, Effect, exposure

STRATEGIES: TypeAdapter[object] = TypeAdapter(AnyStrategy)
KEEP = {"strategy": "keep", "why": "for the test"}
TOKEN = {"strategy": "tokenize", "domain": "d"}
FPE = {"strategy": "fpe", "domain": "d"}
HASH = {"strategy": "pseudonymize", "domain": "d"}
DROP = {"strategy": "drop"}
NULL = {"strategy": "null"}
REDACT = {"strategy": "redact"}
SCRUB = {"strategy": "scrub_text"}
PREFECTURE = {"strategy": "prefecture"}


def mask(strategy: str, **parameters: object) -> dict[str, object]:
    """Spells a mask."""
    return {"strategy": strategy, **parameters}


def document(**fields: object) -> dict[str, object]:
    """Spells the mask of a document."""
    return mask("json_fields", fields=fields)


def contract(table: str = "cards", publish: str = "issuing.cards", **columns: object) -> dict[str, Contract]:
    """Returns a contract of an id and other text columns; a dictionary with a class is a whole column."""
    whole = {
        name: one if isinstance(one, dict) and "class" in one else {"type": "string", "class": "free_text", "mask": one}
        for name, one in columns.items()
    }
    row_id = {"type": "int64", "class": "identifier", "mask": {"strategy": "tokenize", "domain": "row"}}
    fields = {"table": table, "about": "Rows.", "source": "issuing.cards", "publish": publish, "key": ["id"]}
    return {table: Contract.model_validate({**fields, "load": {"mode": "full"}, "columns": {"id": row_id, **whole}})}


def verdicts(old: dict[str, object], new: dict[str, object]) -> list[tuple[str, Effect]]:
    """Returns what the change of column `a` does."""
    return [(one.column, one.verdict) for one in exposure(contract(a=old), contract(a=new))]


@pytest.mark.parametrize(
    ("less", "more", "forward", "back"),
    [
        (DROP, KEEP, Effect.VISIBLE, Effect.GONE),
        (DROP, TOKEN, Effect.VISIBLE, Effect.GONE),
        (NULL, HASH, Effect.VISIBLE, Effect.GONE),
        (REDACT, SCRUB, Effect.VISIBLE, Effect.STRONGER),
        (DROP, REDACT, Effect.WEAKER, Effect.GONE),
        (HASH, TOKEN, Effect.WEAKER, Effect.STRONGER),
        (HASH, FPE, Effect.WEAKER, Effect.STRONGER),
        (TOKEN, PREFECTURE, Effect.WEAKER, Effect.STRONGER),
        (FPE, {**FPE, "keep_last": 4}, Effect.WEAKER, Effect.STRONGER),
        (PREFECTURE, SCRUB, Effect.WEAKER, Effect.STRONGER),
        (SCRUB, KEEP, Effect.WEAKER, Effect.STRONGER),
        (mask("partial", keep_last=2), mask("partial", keep_last=4), Effect.WEAKER, Effect.STRONGER),
        (mask("truncate_pan", keep_first=0), mask("truncate_pan", keep_first=6), Effect.WEAKER, Effect.STRONGER),
        (mask("truncate_pan", keep_first=6), mask("truncate_pan", keep_first=8), Effect.WEAKER, Effect.STRONGER),
        (mask("ip_prefix", v4=16), mask("ip_prefix"), Effect.WEAKER, Effect.STRONGER),
        (mask("ip_prefix", v6=32), mask("ip_prefix"), Effect.WEAKER, Effect.STRONGER),
        (mask("generalize_date", to="age_band"), mask("generalize_date", to="year"), Effect.WEAKER, Effect.STRONGER),
        (mask("generalize_date", to="quarter"), mask("generalize_date", to="month"), Effect.WEAKER, Effect.STRONGER),
        (
            mask("email_domain", known=["gmail.com"]),
            mask("email_domain", known=["gmail.com", "x.example"]),
            Effect.WEAKER,
            Effect.STRONGER,
        ),
        (TOKEN, FPE, Effect.OTHERWISE, Effect.OTHERWISE),
        (TOKEN, {**TOKEN, "domain": "e"}, Effect.OTHERWISE, Effect.OTHERWISE),
        (TOKEN, {**TOKEN, "normalize": ["trim"]}, Effect.OTHERWISE, Effect.OTHERWISE),
        (HASH, {**HASH, "algorithm": "hmac_sha256"}, Effect.OTHERWISE, Effect.OTHERWISE),
        (REDACT, {**REDACT, "value": "X"}, Effect.OTHERWISE, Effect.OTHERWISE),
        (PREFECTURE, mask("postal_area"), Effect.ANOTHER_PART, Effect.ANOTHER_PART),
        (
            mask("email_domain", known=["gmail.com"]),
            mask("email_domain", known=["x.example"]),
            Effect.ANOTHER_PART,
            Effect.ANOTHER_PART,
        ),
    ],
    ids=str,
)
def test_a_change_of_a_mask(less: dict[str, object], more: dict[str, object], forward: Effect, back: Effect) -> None:
    """Each step between two masks has a verdict of its own, forward and back, and no step is silent."""
    assert verdicts(less, more) == [("a", forward)]
    assert verdicts(more, less) == [("a", back)]


def test_numbers_have_steps_too() -> None:
    """A finer unit or one more edge shows more; other edges show another part; more days hide more."""

    def numbers(old: dict[str, object], new: dict[str, object], kind: str = "int64") -> list[Effect]:
        sides = [contract(a={"type": kind, "class": "none", "mask": one}) for one in (old, new)]
        return [one.verdict for one in exposure(*sides)]

    assert numbers(mask("round", to=1000), mask("round", to=100)) == [Effect.WEAKER]
    assert numbers(mask("round", to=100), mask("round", to=1000)) == [Effect.STRONGER]
    assert numbers(mask("bucket", edges=[1, 5]), mask("bucket", edges=[1, 3, 5])) == [Effect.WEAKER]
    assert numbers(mask("bucket", edges=[1, 3, 5]), mask("bucket", edges=[1, 5])) == [Effect.STRONGER]
    assert numbers(mask("bucket", edges=[1, 5]), mask("bucket", edges=[2, 5])) == [Effect.ANOTHER_PART]
    days = [mask("shift_date", domain="d", entity="id", max_days=most) for most in (30, 10)]
    assert numbers(*days, kind="date") == [Effect.WEAKER]
    assert numbers(*days[::-1], kind="date") == [Effect.STRONGER]


def test_what_nobody_sees_is_no_change() -> None:
    """Reasons, what is done about invalid values, null for drop, and notes change nothing that can be seen."""
    assert verdicts(KEEP, {**KEEP, "why": "another reason"}) == []
    assert verdicts(TOKEN, {**TOKEN, "on_invalid": "null"}) == []
    assert verdicts(DROP, NULL) == []
    assert exposure(load_contracts(), load_contracts()) == ()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (DROP, document(x=KEEP), [("a.x", Effect.VISIBLE)]),
        (document(x=KEEP), DROP, [("a.x", Effect.GONE)]),
        (document(x=KEEP), document(x=KEEP, y=TOKEN), [("a.y", Effect.VISIBLE)]),
        (document(x=HASH), document(x=KEEP), [("a.x", Effect.WEAKER)]),
        (KEEP, document(x=KEEP), [("a.(other fields)", Effect.GONE)]),
        (document(x=KEEP), KEEP, [("a.(other fields)", Effect.VISIBLE)]),
        (document(x=HASH), KEEP, [("a.x", Effect.WEAKER), ("a.(other fields)", Effect.VISIBLE)]),
    ],
    ids=str,
)
def test_documents_are_compared_by_field(
    old: dict[str, object], new: dict[str, object], expected: list[tuple[str, Effect]]
) -> None:
    """A field is compared with itself, with nothing, or with the mask of the whole document."""
    assert verdicts(old, new) == expected


def test_a_new_column_and_a_new_table_are_newly_visible() -> None:
    """What only one side has is compared with nothing; dropped columns are silent."""
    small, large = contract(), contract(a=KEEP, b=DROP)
    assert exposure(small, large) == (Change("cards", "a", Effect.VISIBLE, "not published", "keep"),)
    assert [(one.column, one.verdict) for one in exposure(large, {})] == [("id", Effect.GONE), ("a", Effect.GONE)]
    assert [one.verdict.exposes for one in exposure({}, large)] == [True, True]


def test_another_dataset_class_or_gate_is_told() -> None:
    """Other readers and a wider gate expose; a class that says something else is told but exposes nothing by itself."""
    column = {"type": "string", "class": "phone", "mask": HASH}
    (moved,) = exposure(contract(), contract(publish="open.cards"))
    assert (moved.verdict, moved.column, moved.before, moved.after) == (
        Effect.ELSEWHERE,
        "",
        "issuing.cards",
        "open.cards",
    )
    (opened,) = exposure(contract(a=column), contract(a={**column, "may_look_like": ["phone"]}))
    assert (opened.verdict, opened.before, opened.after) == (Effect.GATE_OPENED, "nothing", "phone")
    (closed,) = exposure(contract(a={**column, "may_look_like": ["phone"]}), contract(a=column))
    assert (closed.verdict, closed.verdict.exposes) == (Effect.GATE_CLOSED, False)
    (declared,) = exposure(contract(a=column), contract(a={**column, "class": "none"}))
    assert (declared.verdict, declared.after, declared.verdict.exposes) == (Effect.RECLASSED, "class none", False)


def test_another_published_name_is_told() -> None:
    """A column under another name has none of the grants that it had; dropped columns have no name."""
    column = {"type": "string", "class": "phone", "mask": HASH}
    (renamed,) = exposure(contract(a=column), contract(a={**column, "publish_as": "phone"}))
    assert renamed == Change("cards", "a", Effect.ELSEWHERE, "a", "phone")
    assert renamed.verdict.exposes
    (back,) = exposure(contract(a={**column, "publish_as": "phone"}), contract(a=column))
    assert (back.before, back.after) == ("phone", "a")
    (new,) = exposure(contract(a={**column, "mask": DROP}), contract(a={**column, "publish_as": "phone"}))
    assert new.verdict == Effect.VISIBLE


def test_own_cards_that_the_gate_forgets_are_told() -> None:
    """An own IIN less opens the leak gate of the table, and one more closes it."""
    few, more = (
        {"cards": one.model_copy(update={"own_iins": iins})}
        for one, iins in ((contract()["cards"], ()), (contract()["cards"], ("411111",)))
    )
    (opened,) = exposure(more, few)
    assert opened == Change("cards", "", Effect.GATE_OPENED, "own_iins: [411111]", "no own_iins")
    (closed,) = exposure(few, more)
    assert (closed.verdict, closed.verdict.exposes) == (Effect.GATE_CLOSED, False)


def test_parameters_are_told_where_they_differ() -> None:
    """Before and after name the parameters that were chosen or that changed, and no others."""
    (change,) = exposure(contract(a=mask("ip_prefix", v4=16)), contract(a=mask("ip_prefix")))
    assert (change.before, change.after) == ("ip_prefix(v4: 16)", "ip_prefix(v4: 24)")
