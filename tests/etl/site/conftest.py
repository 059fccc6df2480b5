"""What tests of the site share: one that is written, of a made-up installation."""

from __future__ import annotations

from pathlib import Path

import pytest

from etl.site.writer import write_folder
from tests.etl.site.made_up import site


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the folder of a site."""
    return write_folder(site(), tmp_path_factory.mktemp("site")).parent
