"""What the files of canaries share: an issuer full of them, on servers of each file's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scripts.local_stack.local_stack import LocalStack
from tests.etl.canaries.planted_issuer import PlantedIssuer, planted_issuer


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlantedIssuer]:
    """Yields the issuer."""
    private = LocalStack(tmp_path_factory.mktemp("canaries"))
    try:
        yield planted_issuer(private.up())
    finally:
        private.reset()
