"""Where the local stack's PostgreSQL lies, whose it is, and what its configuration files say."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import tempfile
from pathlib import Path

from scripts.local_stack.processes import LOOPBACK, LocalStackFailed, run

REPLICATION = "replication"
SLOT = "standby"

# A server log outlives its database, so it must not hold what was in it: statements, their parameters and the details
# of errors all quote values. `log` ranks above `error` here: starts, stops and replication are written, errors are not.
_SILENT = {
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_duration": "off",
    "log_min_duration_statement": "-1",
    "log_autovacuum_min_duration": "-1",
    "log_lock_waits": "off",
    "log_temp_files": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_line_prefix": "%m [%p] ",
}
# Durability against a power cut is given up for speed: the data is made up and can be made again.
_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "30min",
    "wal_compression": "off",
    "wal_buffers": "64MB",
    "maintenance_io_concurrency": "0",  # the standby would ask the system for pages that nobody has written yet
    "jit": "off",
    "autovacuum": "off",  # who fills it also analyzes it; nothing runs behind a measurement's back
}
_REPLICATED = {
    "wal_level": "replica",
    "max_connections": "100",
    "max_wal_senders": "10",
    "max_replication_slots": "5",
    "hot_standby": "on",
    "hot_standby_feedback": "on",
    "wal_receiver_status_interval": "1s",
    "wal_retrieve_retry_interval": "200ms",
}
_ACCESS = f"""host all all {LOOPBACK}/32 scram-sha-256
host replication {REPLICATION} {LOOPBACK}/32 scram-sha-256
"""


def binaries() -> Path:
    """Returns the folder of the newest PostgreSQL server programs of this machine."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    on_path = shutil.which("initdb")
    if found:
        return max(found, key=lambda folder: int(re.sub(r"\D", "", folder.parent.name) or 0))
    if on_path and shutil.which("postgres", path=str(Path(on_path).parent)):
        return Path(on_path).parent
    raise LocalStackFailed(
        "The PostgreSQL server programs are not installed.",
        not_done="Nothing was started.",
        advice="Install them (Debian: apt-get install postgresql), or run `make bootstrap` as root.",
    )


def account() -> str | None:
    """Returns the account PostgreSQL runs as: our own (None), or another one when we are root, which it refuses."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise LocalStackFailed(
        "PostgreSQL refuses to run as root, and there is neither an account postgres nor nobody.",
        not_done="Nothing was started.",
    )


def reachable(folder: Path, user: str | None) -> bool:
    """Tells whether `user` may pass through every folder down to `folder`."""
    return user is None or run(["test", "-x", str(folder)], log=Path(os.devnull), user=user) == 0


def make_place(wanted: Path, user: str | None) -> Path:
    """Creates the folder for data that `user` owns: the wanted one, or one under /var/tmp when it cannot get there.

    A checkout below a home folder of mode 0700 is closed to the account that PostgreSQL has to run as.
    """
    wanted.parent.mkdir(parents=True, exist_ok=True)
    place = wanted if reachable(wanted.parent, user) else Path(tempfile.mkdtemp(prefix="kagemusha-", dir="/var/tmp"))
    place.mkdir(mode=0o700, exist_ok=True)
    if user:
        os.chown(place, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    return place


def configure(data: Path, *, port: int, primary: tuple[int, Path] | None) -> None:
    """Writes the configuration of one server.

    Args:
        data: its data directory.
        port: its port.
        primary: for a standby, the primary's port and the password file to reach it with.
    """
    settings = {
        "port": str(port),
        "listen_addresses": LOOPBACK,
        "unix_socket_directories": "",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "cluster_name": data.name,
        **_REPLICATED,
        **_FAST,
        **_SILENT,
    }
    if primary:
        source = f"host={LOOPBACK} port={primary[0]} user={REPLICATION} passfile={primary[1]} application_name={SLOT}"
        settings |= {"primary_conninfo": source, "primary_slot_name": SLOT}
    lines = (f"{name} = '{value}'\n" for name, value in settings.items())
    (data / "postgresql.conf").write_text("".join(lines), encoding="utf-8")
    (data / "pg_hba.conf").write_text(_ACCESS, encoding="utf-8")
    if primary:
        (data / "standby.signal").touch()
