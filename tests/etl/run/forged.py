"""What somebody can write who may write the staging bucket, and has no keyring: files, and a manifest for them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Final

import pyarrow as pa
import yaml

from etl.cloud.storage import StagingBucket
from etl.plan import mask_plan
from etl.source import Slice
from etl.stage import StagedFile, manifest_digest, write_slice
from schemas.contract import Contract

PLANTED: Final = "4111111111111111"
"""A test card number."""
TEXT: Final = """\
table: guests
about: One row for each guest.
source: test.guests
publish: {dataset}.guests
load: {{mode: full}}
key: [guest]
columns:
  guest: {{type: int64, class: identifier, mask: {{strategy: tokenize, domain: guest}}, nullable: false}}
  pan:   {{type: string, class: pan, mask: {{strategy: fpe, domain: pan}}}}
  note:  {{type: string, class: none, mask: {{strategy: keep, why: made-up words}}}}
"""


def guests(dataset: str) -> Contract:
    """Returns the contract of guests, published in a dataset."""
    return Contract.model_validate(yaml.safe_load(TEXT.format(dataset=dataset)))


def token(number: int) -> str:
    """Returns something of a token's shape."""
    return f"k1_{number:032x}"


def staged_file(
    bucket: StagingBucket, contract: Contract, run_id: str, columns: Sequence[Sequence[object]]
) -> StagedFile:
    """Writes columns as a file of a run, as a worker would."""
    schema = mask_plan(contract, date(2023, 8, 30)).output_schema
    arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    batch = pa.RecordBatch.from_arrays(arrays, schema=schema)
    folder = f"{bucket.target.prefix}/{run_id}/{contract.table}"
    file, _ = write_slice(bucket, folder, Slice(0, "TRUE"), schema, (), [batch])
    return file


def manifest(contract: Contract, run_id: str, files: Sequence[StagedFile], **others: object) -> Mapping[str, object]:
    """Returns a manifest in which everything fits, but for the signature, which nobody without the keyring can make."""
    return {
        "format": 2,
        "run_id": run_id,
        "table": contract.table,
        "day": "2023-08-30",
        "window": None,
        "contract_digest": contract.digest,
        "manifest_digest": manifest_digest(files),
        "rows": sum(file.rows for file in files),
        "bytes": sum(file.bytes for file in files),
        "files": [asdict(file) for file in files],
        "sums": {},
        "totals": {"rows": sum(file.rows for file in files), "sums": {}},
        "nulled": {},
        "quarantine": {"rows": [], "sums": {}},
        "key_checks": {"1": "00"},
        "seconds": 1.0,
        "peak_mib": 1,
        "staged_at": "2023-08-30T15:00:00+00:00",
        "key_version": 1,
        "signature": "0" * 64,
        **others,
    }


def put(bucket: StagingBucket, content: Mapping[str, object]) -> None:
    """Writes a manifest where one belongs."""
    name = f"{bucket.target.prefix}/{content['run_id']}/{content['table']}/manifest.json"
    bucket.write(name, json.dumps(content, default=str).encode(), "application/json")
