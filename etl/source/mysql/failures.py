"""MySQL's failures as our errors: the error number decides, and the server's text is not repeated.

PyMySQL's and JDBC's failures alike: this module loads no driver.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from etl.errors import NO_ROW_READ, NOT_PUBLISHED, SourceForbidden, SourceUnavailable, StatementTimedOut
from etl.source.session import ReadFailed
from masking.errors import KagemushaError

UNKNOWN_TIME_ZONE: Final = 1298
"""The error of a session that is not on a reader, while it is prepared; see `session_sql`."""
UNEXPLAINED: Final = 1345
"""The error of EXPLAIN on a view over tables that the user may not read, as the view itself lets it."""
READ_ONLY: Final = frozenset({1290, 1836})
"""The error of whoever wants to write on a server that is read-only for him."""
_NO_PRIVILEGE: Final = frozenset({1142, 1143, 1227, 1370})
_TRANSIENT_NUMBERS: Final = frozenset(
    {1028, 1040, 1053, 1080, 1152, 1158, 1159, 1160, 1161, 1203, 1205, 1213, 1290, 1317, 1836, 1927}
    | {2002, 2003, 2006, 2013, 2055, 3169}
)
"""Shutdown, too many connections, network, locks, a killed query."""
_TIMED_OUT: Final = frozenset({1969, 3024})


def query_failure(number: int, place: Mapping[str, object]) -> KagemushaError:
    """Returns our error for a query that failed with an error number; 0 or a transient one means run again."""
    if number in _TRANSIENT_NUMBERS or not number:
        reason = f"error {number}" if number else "connection lost"
        return SourceUnavailable(f"The database ended a query ({reason}).", not_done=NOT_PUBLISHED, where=place)
    if number in _TIMED_OUT:
        return StatementTimedOut("A query ran longer than it may.", not_done=NOT_PUBLISHED, where=place)
    if number in _NO_PRIVILEGE:
        return SourceForbidden(
            "The ETL user may not look at a table or a column.",
            not_done=NO_ROW_READ,
            advice="Grant SELECT on the table to the ETL user.",
            where=place,
        )
    return ReadFailed(f"The database refused a query (error {number}).", not_done=NOT_PUBLISHED, where=place)


def number_of(error: Exception) -> int:
    """Returns the error number that PyMySQL puts first, or 0."""
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0
