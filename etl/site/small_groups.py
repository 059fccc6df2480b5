"""The smallest group that a picture shows: fewer persons could be recognized."""

from __future__ import annotations

from typing import Final

LEAST_GROUP: Final = 10
