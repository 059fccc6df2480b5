"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SettingsFile = Annotated[
    Path | None, typer.Option(help="Settings file; default: $KAGEMUSHA_SETTINGS or the local stack's.")
]
ContractsFolder = Annotated[Path | None, typer.Option(help="Folder of contracts; default: the bundled ones.")]
