"""Certificates that ship with the package, so that workers need no file of their machine's: `sslrootcert=bundled:rds`.

`make package RDS_BUNDLE=global-bundle.pem` puts RDS's here; the checkout holds none, because they expire.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

from etl.errors import NO_ROW_READ, SettingsInvalid

BUNDLED: Final = "bundled:"


def certificate_file(setting: str) -> str:
    """Returns the path of a certificate file in this process: of a bundle of the package, else the setting itself.

    Raises:
        SettingsInvalid: the package holds no such bundle.
    """
    if not setting.startswith(BUNDLED):
        return setting
    name = setting.removeprefix(BUNDLED)
    path = Path(str(files(__package__).joinpath(f"{name}.pem")))
    if not name.isalnum() or not path.is_file():
        raise SettingsInvalid(
            f"The package holds no certificates called {name}.",
            not_done=NO_ROW_READ,
            advice="Build it with `make package RDS_BUNDLE=global-bundle.pem`, or name a file in ?sslrootcert=.",
        )
    return str(path)
