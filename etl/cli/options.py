"""Options that several commands share.

A command's module imports only what its options need; what it works with is imported where the command runs, so that
help and refusals come at once. For the same reason, words that an enumeration elsewhere knows are spelled again where
an option offers them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

SettingsFile = Annotated[
    Path | None, typer.Option(help="Settings file; default: $KAGEMUSHA_SETTINGS or the local stack's.")
]
ContractsFolder = Annotated[Path | None, typer.Option(help="Folder of contracts; default: the bundled ones.")]
Language = Annotated[
    Literal["en", "ja"] | None, typer.Option("--language", help="en or ja; default: [site].language of the settings.")
]
