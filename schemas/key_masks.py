"""Proposes masks for what identifies rows: keys, references and their namesakes get one, so that they still join."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import yaml

from masking.policy import ColumnClass
from masking.policy.names import meaning
from masking.strategies import Strategy
from schemas.contract import Contract
from schemas.found import FoundColumn, FoundTable
from schemas.guess import Guess
from schemas.published_names import published_name
from schemas.reviewed import NAME

DROP: Final = "{strategy: drop}"
_NEVER: Final = frozenset({ColumnClass.SENSITIVE_AUTHENTICATION, ColumnClass.NATIONAL_ID})
_UNCLEAR: Final = frozenset({ColumnClass.NONE, ColumnClass.FREE_TEXT, ColumnClass.IDENTIFIER})
_IDENTIFY: Final = frozenset({"string", "int64", "numeric", "bytes", "bool", "json"})
"""The types whose values can become tokens of a key."""
_ENDINGS: Final = ("_id", "_no", "_number", "_num", "_code", "_cd", "_bango", "_key", "_uuid")
_LONGEST_DOMAIN: Final = 63
_NOBODY: Final = "id"
"""The table that a name without a stem of its own would be of."""
_BEFORE: Final = ("mst_", "m_", "t_", "tbl_", "mtb_", "dtb_")
_AFTER: Final = ("_mst", "_master", "_tbl", "_table")
"""What is put around the names of tables and says nothing of their rows."""


def kept(harmless: str) -> str:
    """Returns the mask of a column that may be seen, for a guessed reason."""
    return f'{{strategy: keep, why: "guessed: {harmless}"}}'


def key_mask(
    table: FoundTable, column: FoundColumn, name: str, found: Guess, known: Sequence[Contract]
) -> tuple[str, ColumnClass]:
    """Returns the mask and class of a key or a reference: those of the column it leads to, where a contract has it.

    Args:
        table: whose key or reference it is.
        column: the key or reference.
        name: the table's name in its contract.
        found: what its name, type and sample say.
        known: contracts beside which it will stand.
    """
    if found.column_class in _NEVER:
        return DROP, found.column_class
    other = table.references.get(column.name)
    target = contract_of(known, other[0]) if other else None
    if target and other and other[1] in target.source_names.values():
        meant = target.columns[other[1]]
        return _flow(meant.mask), meant.column_class
    if found.harmless:
        return kept(found.harmless), ColumnClass.NONE
    if column.type is None or column.type.name not in _IDENTIFY:
        return DROP, found.column_class
    domain = _domain(*other) if other else _domain(f".{name}", column.name)
    return _token(domain, found, known, column.normalize)


def namesake_mask(column: FoundColumn, found: Guess, known: Sequence[Contract]) -> tuple[str, ColumnClass] | None:
    """Returns the mask of a known table's only key, where a column has its name or domain, and its type.

    Without a namesake, what is called an id becomes a token of its own domain; the rest is no key: None.
    """
    if column.type is None or found.column_class not in _UNCLEAR:
        return None
    domain = _domain(f".{_NOBODY}", column.name)
    if domain == _NOBODY:
        return None
    for contract in known:
        key = contract.selected.get(contract.key[0]) if len(contract.key) == 1 else None
        if key is None or key.type != column.type:
            continue
        if contract.source_names[contract.key[0]] == column.name or getattr(key.mask, "domain", "") == domain:
            return _flow(key.mask), key.column_class
    called_id = found.source == "name" and meaning(column.name).phrase.split()[-1:] == ["identifier"]
    if not called_id or column.type.name not in {"int64", "string"}:
        return None
    same = _mask_of_domain(known, domain)
    if (same is None and found.harmless) or (same and "strategy: tokenize" not in same):
        return None  # another strategy may not take this column's type
    return same or f"{{strategy: tokenize, domain: {domain}}}", ColumnClass.IDENTIFIER


def _token(domain: str, found: Guess, known: Sequence[Contract], normalize: Sequence[str]) -> tuple[str, ColumnClass]:
    """Returns the token of a domain, as known contracts make it; the key of a table of codes is kept."""
    if found.column_class in _UNCLEAR and meaning(f"{domain}_id").head == "code":
        return kept("the key of a table of codes"), ColumnClass.NONE
    same = _mask_of_domain(known, domain)
    steps = f", normalize: [{', '.join(normalize)}]" if normalize else ""
    if found.column_class is ColumnClass.PAN:
        return same or f"{{strategy: tokenize, domain: pan{steps}}}", ColumnClass.PAN
    column_class = ColumnClass.IDENTIFIER if found.column_class in _UNCLEAR else found.column_class
    return same or f"{{strategy: tokenize, domain: {domain}{steps}}}", column_class


def contract_of(known: Sequence[Contract], source: str) -> Contract | None:
    """Returns the contract that reads a source table."""
    return next((contract for contract in known if contract.source == source), None)


def _domain(table: str, column: str) -> str:
    """Returns the domain of a key: `member` for `member_id`, and the table's own name where the column says nothing."""
    stem = published_name(column)
    for ending in _ENDINGS:
        stem = stem.removesuffix(ending)
    stem = _lettered(stem)
    if not stem or stem in {"id", "no", "key", "code", "cd", "number", "uuid"}:
        stem = _lettered(_singular(published_name(table.split(".", 1)[1])))
    return stem or "key"


def _lettered(stem: str) -> str:
    """Returns a name as a domain may have it: it begins with a letter, `st_order` of `_1st_order`."""
    return stem.lstrip("_0123456789")[:_LONGEST_DOMAIN] if NAME.match(stem) else ""


def _singular(table: str) -> str:
    """Returns what one row of a table is: `order_status` of `m_order_statuses`."""
    for prefix in _BEFORE:
        table = table.removeprefix(prefix)
    for suffix in _AFTER:
        table = table.removesuffix(suffix)
    if table.endswith("ies"):
        return f"{table.removesuffix('ies')}y"
    if table.endswith(("sses", "uses", "xes", "ches", "shes")):
        return table.removesuffix("es")
    return table if table.endswith(("ss", "us", "is")) else table.removesuffix("s")


def _mask_of_domain(known: Iterable[Contract], domain: str) -> str | None:
    for contract in known:
        for column in contract.selected.values():
            if getattr(column.mask, "domain", None) == domain:
                return _flow(column.mask)
    return None


def _flow(mask: Strategy) -> str:
    said = {"strategy": mask.strategy, **mask.model_dump(mode="json", exclude_defaults=True)}
    text: str = yaml.safe_dump(said, default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True)
    return text.strip()
