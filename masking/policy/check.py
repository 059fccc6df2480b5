"""Checks masks against the policy: each column alone, then columns of one dataset, one join, one domain together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from masking.card_numbers import free_digits
from masking.formats import NumberFormat, format_named
from masking.kernels.ff1 import min_length
from masking.leaks import OwnIins
from masking.policy.classes import POLICY, ColumnClass
from masking.policy.constants import shows_leak
from masking.policy.names import HARMLESS, Meaning, meaning
from masking.policy.rules import RULES, Profile, Rule
from masking.strategies import Fpe, JsonFields, Strategy, Tokenize, TruncatePan

_CARD_DIGITS = 16
_DECIMAL = 10
_TOKENS = frozenset({"tokenize", "pseudonymize", "fpe"})
_NEVER = frozenset({ColumnClass.SENSITIVE_AUTHENTICATION, ColumnClass.NATIONAL_ID})
"""Classes whose values never leave the database."""
_EVERYDAY = frozenset({"identifier", "number", "reference", "key"})
"""What every table has: whether an id names a person or a thing, only its class can tell."""
_OF_NOBODY = frozenset({ColumnClass.NONE, ColumnClass.IDENTIFIER})
"""Classes that say the values tell nothing of a person; another class is a decision that somebody made."""


@dataclass(frozen=True, slots=True)
class PolicyColumn:
    """One column as the policy sees it.

    Attributes:
        table: of the contract.
        dataset: where the table is published.
        name: the column's.
        column_class: what its values are.
        strategy: what becomes of them.
        control: names a compensating control, empty where there is none.
        in_every_row: whether no row lacks a value.
        kind: the name of its contract type: a flag `password_expired` holds no password.
        at_source: the source's own name of the column, where it is published under another.
        number: the declared format of a kept number.
        own_iins: the contract's own IINs, which tokens of `fpe` that are no card numbers avoid.
    """

    table: str
    dataset: str
    name: str
    column_class: ColumnClass
    strategy: Strategy
    control: str = ""
    in_every_row: bool = False
    kind: str = "string"
    at_source: str = ""
    number: NumberFormat | None = None
    own_iins: OwnIins = ()


@dataclass(frozen=True, slots=True)
class PolicyJoin:
    """A promise of a contract: this column's tokens equal those of another table's column."""

    table: str
    column: str
    to_table: str
    to_column: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that one column breaks; `part` says under which key of the contract it stands."""

    rule: Rule
    message: str
    table: str = ""
    column: str = ""
    part: str = "columns"


def check_column(column_class: ColumnClass, strategy: Strategy) -> Finding | None:
    """Returns the finding where the class does not allow the strategy, or None."""
    policy = POLICY[column_class]
    if policy.allowed is None or strategy.strategy in policy.allowed:
        return None
    allowed = ", ".join(sorted(policy.allowed))
    rule = replace(RULES[policy.rule], clause=policy.clause, todo=policy.todo)
    return Finding(rule, f"class {column_class} does not allow {strategy.strategy}; it allows {allowed}")


def check_policy(
    columns: Iterable[PolicyColumn], joins: Iterable[PolicyJoin] = (), profile: Profile = Profile.PCI
) -> tuple[Finding, ...]:
    """Returns every finding about the columns of all tables under a profile."""
    known = tuple(columns)
    found = [
        *(finding for column in known for finding in _alone(column)),
        *_forms_of_card_numbers(known),
        *_joins(known, joins),
        *_domains(known),
        *_versions(known),
    ]
    return tuple(finding for finding in found if finding.rule.applies(profile))


def _at(column: PolicyColumn, rule: str, message: str) -> Finding:
    return Finding(RULES[rule], message, column.table, column.name)


def _alone(column: PolicyColumn) -> Iterator[Finding]:
    finding = check_column(column.column_class, column.strategy)
    if finding:
        yield replace(finding, table=column.table, column=column.name)
    names = dict.fromkeys((column.at_source or column.name, column.name))
    yield from next((found for name in names if (found := list(_named(column, name)))), [])
    if column.number:
        yield from _declared(column, column.number)
    if showing := shows_leak(column.strategy):
        yield _at(column, "KG022", showing)
    for strategy in _masks(column.strategy):
        if strategy.reversible:
            yield _at(column, "KG010", f"{strategy.strategy} can be turned back with its key")
        if isinstance(strategy, Fpe) and strategy.format == "pan":
            free = free_digits(_CARD_DIGITS, strategy.keep_first, strategy.keep_last)
            if free < min_length(_DECIMAL):
                yield _at(column, "KG007", f"of a {_CARD_DIGITS}-digit number only {free} digits would be encrypted")


def _named(column: PolicyColumn, name: str) -> Iterator[Finding]:
    """Finds masks that what a name of a column, or the path of a document's field, says does not allow."""
    said = meaning(name, column.table)
    if said.fits(column.kind):
        yield from _misnamed(column, said, column.strategy, column.column_class)
    if isinstance(column.strategy, JsonFields):
        for path, strategy in column.strategy.fields.items():
            said = meaning(path)
            if said.fits("string") and said.head not in HARMLESS:  # nobody tells a field's type
                yield from _misnamed(column, said, strategy, ColumnClass.NONE, f"{path}: ")


def _misnamed(
    column: PolicyColumn, said: Meaning, strategy: Strategy, declared: ColumnClass, where: str = ""
) -> Iterator[Finding]:
    if strategy.strategy == "drop" or said.phrase in _EVERYDAY:
        return
    message = f"{where}the name says {said.phrase} ({said.kind}), the class is {declared}"
    if said.column_class in _NEVER and declared not in _NEVER:
        yield _at(column, "KG015", message)
    elif declared in _OF_NOBODY and not column.control and not _allows(said, strategy):
        yield _at(column, "KG012", f"{message}, and the mask is {strategy.strategy}")


def _allows(said: Meaning, strategy: Strategy) -> bool:
    """Tells whether the policy allows a mask for what a name says; what is only personal is not kept."""
    allowed = POLICY[said.column_class].allowed
    return strategy.strategy in allowed if allowed is not None else strategy.strategy != "keep"


def _declared(column: PolicyColumn, number: NumberFormat) -> Iterator[Finding]:
    """Yields what a reviewer must know of a declared number, and whether its class lets it be declared."""
    if column.column_class != ColumnClass.NONE:
        yield _at(column, "KG021", f"class {column.column_class} with a `format`")
    scheme = format_named(number)
    every = "every value passes" if scheme.rate >= 1 else f"about 1 in {round(1 / scheme.rate)} values passes"
    yield _at(column, "KG020", f"{scheme.about}: {every} Luhn as card numbers do, and the leak gate lets it")


def _masks(strategy: Strategy) -> Iterator[Strategy]:
    """Yields a strategy, or those of a document's fields in its place."""
    if isinstance(strategy, JsonFields):
        yield from strategy.fields.values()
    else:
        yield strategy


def _forms_of_card_numbers(columns: Sequence[PolicyColumn]) -> Iterator[Finding]:
    """Finds truncations beside tokens, or beside truncations of another format, in one dataset."""
    by_dataset: dict[str, list[PolicyColumn]] = defaultdict(list)
    for column in columns:
        if column.column_class == ColumnClass.PAN:
            by_dataset[column.dataset].append(column)
    for dataset, cards in by_dataset.items():
        tokens = [column for column in cards if column.strategy.strategy in _TOKENS]
        truncated = [column for column in cards if isinstance(column.strategy, TruncatePan)]
        for column in truncated:
            others = tokens or [other for other in truncated if _kept(other) != _kept(column)]
            if others and not column.control:
                other = others[0]
                yield _at(
                    column,
                    "KG006",
                    f"dataset {dataset} also holds {other.table}.{other.name}, {_form(other)}: together they give the "
                    "number away",
                )


def _kept(column: PolicyColumn) -> tuple[int, int]:
    strategy = column.strategy
    return (strategy.keep_first, strategy.keep_last) if isinstance(strategy, TruncatePan) else (0, 0)


def _form(column: PolicyColumn) -> str:
    if column.strategy.strategy in _TOKENS:
        return f"masked by {column.strategy.strategy}"
    return "truncated to first {} and last {}".format(*_kept(column))


def _joins(columns: Sequence[PolicyColumn], joins: Iterable[PolicyJoin]) -> Iterator[Finding]:
    by_name = {(column.table, column.name): column for column in columns}
    for join in joins:
        here, there = by_name.get((join.table, join.column)), by_name.get((join.to_table, join.to_column))
        target = f"{join.to_table}.{join.to_column}"
        if there is None or there.strategy.strategy == "drop":
            reason = "is not published" if there else "does not exist"
            yield Finding(RULES["KG011"], f"joins {target}, which {reason}", join.table, join.column, "joins")
        elif here and _alike(here) != _alike(there):
            message = f"joins {target}, but is masked by {_how(here)} while that is masked by {_how(there)}"
            yield Finding(RULES["KG008"], message, join.table, join.column, "joins")


def _alike(column: PolicyColumn) -> dict[str, object]:
    return column.strategy.model_dump(exclude={"on_invalid", "quarantine_budget", "why"})


def _how(column: PolicyColumn) -> str:
    domain = getattr(column.strategy, "domain", "")
    steps = ", ".join(getattr(column.strategy, "normalize", ()))
    return column.strategy.strategy + (f" in domain {domain}" if domain else "") + (f" after {steps}" if steps else "")


def _domains(columns: Sequence[PolicyColumn]) -> Iterator[Finding]:
    """Finds domains of two strategies, or of columns that are normalized differently; the first use is the model."""
    first: dict[str, tuple[PolicyColumn, Strategy]] = {}
    for column in columns:
        for strategy in _masks(column.strategy):
            # shift_date moves dates by an amount per entity; it makes no token that another column could match.
            domain = getattr(strategy, "domain", "")
            if not domain or strategy.strategy == "shift_date":
                continue
            model, its = first.setdefault(domain, (column, strategy))
            where = f"in {model.table}.{model.name}"
            if _purpose(strategy) != _purpose(its):
                yield _at(column, "KG009", f"domain {domain} is used by {strategy.strategy} here and otherwise {where}")
            elif isinstance(strategy, Fpe) and strategy.walks and set(column.own_iins) != set(model.own_iins):
                yield _at(column, "KG009", f"domain {domain} avoids other `own_iins` here than {where}")
            elif getattr(strategy, "normalize", ()) != getattr(its, "normalize", ()):
                yield _at(column, "KG013", f"domain {domain} is normalized here otherwise than {where}")


def _versions(columns: Sequence[PolicyColumn]) -> Iterator[Finding]:
    """Finds fpe tokens whose key version no other token of their row names, so that no rotation can renew them."""
    told = {column.table for column in columns if column.in_every_row and isinstance(column.strategy, Tokenize)}
    for column in columns:
        if isinstance(column.strategy, Fpe) and column.table not in told:
            yield _at(column, "KG014", "an fpe token does not name its key version, and no other token of its row must")


def _purpose(strategy: Strategy) -> dict[str, object]:
    return strategy.model_dump(include={"strategy", "algorithm", "format", "keep_first", "keep_last"})
