"""The made-up issuer once more, in MariaDB."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pymysql

from etl.settings import Settings, load_settings
from scripts.issuer.mysql import copy
from scripts.local_stack.local_stack import Endpoints, LocalStack, MySqlEndpoint
from scripts.local_stack.mariadb import ADMIN


@dataclass(frozen=True)
class MySql:
    """MariaDB of the private stack: settings that name it as the source, and its administrator's way in."""

    ends: MySqlEndpoint
    settings: Settings
    stack: LocalStack

    def execute(self, *statements: str) -> list[tuple[Any, ...]]:
        """Runs statements as the administrator and returns the last one's rows."""
        with self.connection() as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    @contextmanager
    def connection(self) -> Iterator[pymysql.Connection[pymysql.cursors.Cursor]]:
        """Opens a session of the administrator; what it has not committed is rolled back at the end."""
        place = urlsplit(self.ends.url)
        secret = Path(self.ends.password.removeprefix("file:")).with_name(ADMIN).read_text(encoding="ascii")
        with closing(
            pymysql.connect(
                host=place.hostname,
                port=place.port or 0,
                user=ADMIN,
                password=secret,
                autocommit=True,
                ssl_disabled=True,
            )
        ) as connection:
            yield connection


def copied(stack: Endpoints) -> MySql:
    """Starts MariaDB in a running stack and copies the made-up issuer into it."""
    own = LocalStack(stack.root)
    ends = own.up(mysql=True).mysql
    assert ends is not None
    copy(stack.primary_url, ends.url, ends.password)
    return MySql(ends, load_settings(ends.settings), own)
