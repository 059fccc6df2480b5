"""Writes schemas/contract.schema.json, by which editors complete and check contracts.

Usage: python scripts/generate_contract_schema.py [--check]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from schemas.contract import Contract  # noqa: E402  the checkout comes first on the path
from scripts.generated import write_or_check  # noqa: E402

TARGET: Final = ROOT / "schemas" / "contract.schema.json"


def main() -> int:
    """Writes the schema, or with --check tells whether it is up to date."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Contract.model_json_schema(by_alias=True)}
    return write_or_check(TARGET, json.dumps(schema, indent=2, ensure_ascii=False) + "\n", __file__)


if __name__ == "__main__":
    raise SystemExit(main())
