"""Where Spark JDBC connects to, and as whom."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class JdbcAddress:
    """A URL, properties that may be shown, and the password, which may not."""

    url: str
    properties: dict[str, str]
    password: str = field(repr=False)
