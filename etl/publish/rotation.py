"""Between a rotation and its end: no token may stand that does not lead to those that a run is about to make."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from etl.cloud.bigquery import Warehouse
from etl.errors import NO_ROW_READ
from etl.publish.token_maps import map_table_name, mapped_domains, old_tokens_sql
from etl.publish.token_versions import tells_version
from masking.errors import CONTRACT_MUST_CHANGE, KagemushaError
from masking.keyring import Keyring
from schemas.contract import Contract
from schemas.domains import rewritable_columns


class TokensApart(KagemushaError):
    """Tokens of another key version stand, and nothing leads from them to the tokens that a load would make."""

    exit_code: ClassVar[int] = CONTRACT_MUST_CHANGE
    advice = "Run `kagemusha retokenize`: it makes the token maps by which views go on joining, then renews the tokens."


def refuse_apart(warehouse: Warehouse, contracts: Iterable[Contract], keys: Keyring) -> int:
    """Lets a run pass whose tokens will join those that stand: each of another version is in its domain's map.

    Tokens of a version that was destroyed do not count: nobody can make a map of them.

    Args:
        warehouse: where tables are published.
        contracts: of all tables, loaded now or not.
        keys: the keyring; its primary version makes the run's tokens.

    Returns how many tokens of other versions stand.

    Raises:
        TokensApart: some lead nowhere.
    """
    there = [one for one in contracts if tells_version(one) and warehouse.find_table(one.publish) is not None]
    domains = sorted({strategy.domain for one in there for strategy in rewritable_columns(one).values()})
    mapped = mapped_domains(warehouse)
    found = {domain: _counts(warehouse, there, domain, keys, domain in mapped) for domain in domains}
    apart = {domain: lost for domain, (_, lost) in found.items() if lost}
    if apart:
        raise TokensApart(
            f"{sum(apart.values()):,} tokens of {', '.join(apart)} are of another key version than "
            f"{keys.primary}, and no token map leads from them to it.",
            not_done=NO_ROW_READ,
        )
    return sum(old for old, _ in found.values())


def _counts(
    warehouse: Warehouse,
    contracts: Iterable[Contract],
    domain: str,
    keys: Keyring,
    has_map: bool,  # noqa: FBT001
) -> tuple[int, int]:
    """Returns how many tokens of a domain are of other versions, and how many of them are in no map."""
    readable = ", ".join(str(each.version) for each in keys.versions if each.state != "destroyed")
    old = f"({old_tokens_sql(warehouse, contracts, domain, keys.primary)} WHERE version IN ({readable}))"
    mapping = f"`{warehouse.table_id(map_table_name(warehouse, domain))}` AS m ON m.token = o.token"
    joined = f" LEFT JOIN {mapping} AND m.version = o.version" if has_map else ""
    unmapped = "COUNTIF(m.token IS NULL)" if has_map else "COUNT(*)"
    sql = f"SELECT COUNT(*) AS old, {unmapped} AS unmapped FROM {old} AS o{joined}"
    (row,) = warehouse.rows("Published tokens could not be counted", sql, not_done=NO_ROW_READ)
    return int(row["old"]), int(row["unmapped"])
