"""The usual way, for comparison: rows as Python tuples, one library call a value. Used by the benchmark only."""

from __future__ import annotations

import hmac
import io
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pyffx
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from etl.plan import TablePlan
from etl.source import POSTGRES, ReadColumn

_KEY: Final = bytes(range(64))
_BATCH: Final = 5_000
_PAN: Final = re.compile(r"(?<!\d)(?:\d[ -]?){12,18}\d(?!\d)")
_EMAIL: Final = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")
_PHONE: Final = re.compile(r"0\d{1,4}-?\d{1,4}-?\d{4}")

Mask = Callable[[object], object]


def mask_row_by_row(url: str, plan: TablePlan, rows: int) -> tuple[int, float]:
    """Reads, masks, scans and writes at most `rows` rows as Parquet in memory; gives how many, and the seconds."""
    contract = plan.contract
    columns = [ReadColumn(name, column.type) for name, column in contract.selected.items()]
    masks = [_mask(column.mask.strategy) for column in contract.selected.values()]
    sql = f"{POSTGRES.select(contract.source, columns, plan.slices[0].where)} LIMIT {rows}"
    begun = time.monotonic()
    done = 0
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(sql.encode())
        while found := cursor.fetchmany(_BATCH):
            masked = [[mask(value) for mask, value in zip(masks, row, strict=True)] for row in found]
            for row in masked:
                _scan(row)
            records = [dict(zip(contract.selected, row, strict=True)) for row in masked]
            pq.write_table(pa.Table.from_pylist(records), io.BytesIO(), compression="zstd")
            done += len(found)
    return done, time.monotonic() - begun


def _scan(row: list[object]) -> None:
    for value in row:
        if isinstance(value, str) and not value.startswith("k1_"):
            _PAN.search(value)
            _EMAIL.search(value)


def _mask(strategy: str) -> Mask:
    siv = AESSIV(_KEY)
    fpe = pyffx.String(_KEY, alphabet="0123456789", length=15)
    masks: dict[str, Mask] = {
        "keep": _kept,
        "tokenize": _of_text(lambda text: "k1_" + siv.encrypt(text.encode(), None).hex()),
        "pseudonymize": _of_text(lambda text: "k1_" + hmac.digest(_KEY, text.encode(), "sha256").hex()),
        "fpe": _of_text(lambda text: fpe.encrypt(text[:15]) + "0" if len(text) > 15 else text),  # noqa: PLR2004  a PAN
        "scrub_text": _of_text(lambda text: _PHONE.sub("[PHONE]", _EMAIL.sub("[EMAIL]", _PAN.sub("[PAN]", text)))),
    }
    return masks.get(strategy, _of_text(lambda text: text[:3] + "*"))


def _of_text(mask: Callable[[str], str]) -> Mask:
    return lambda value: None if value is None else mask(str(value))


def _kept(value: object) -> object:
    if isinstance(value, datetime):
        return (value.astimezone(UTC) + timedelta(hours=9)).replace(tzinfo=None)
    return value
