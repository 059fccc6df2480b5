"""Which access log a command writes: the settings' own, which no option can replace, else the option's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from etl.settings import DetokenizeSettings


def access_log_path(allowed: DetokenizeSettings, option: Path | None, not_done: str) -> Path:
    """Returns where the access log is.

    Args:
        allowed: names it, or leaves it to the option.
        option: `--audit-log`.
        not_done: says what did not happen without one.

    Raises:
        AccessLogUnusable: there is none, or the option names another than the settings.
    """
    from etl.upkeep.detokenize.access_log import AccessLogUnusable

    if allowed.audit_log and option and option != allowed.audit_log:
        raise AccessLogUnusable(
            "The settings name another access log than --audit-log does.",
            not_done=not_done,
            advice="Leave --audit-log out.",
        )
    chosen = allowed.audit_log or option
    if chosen is None:
        raise AccessLogUnusable("There is no access log.", not_done=not_done)
    return chosen
