"""What a load needs, tried one by one from the driver; each answer is a few words, each failure one of our errors."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from etl.cloud.bigquery import Warehouse
from etl.cloud.storage import StagingBucket, StagingLocation
from etl.errors import SettingsInvalid, Unexpected, worst
from etl.keys import open_keyring, prove_version
from etl.settings import Settings
from etl.source import HeldSnapshot, hold_snapshot
from etl.upkeep.smoke.workers import look_at_workers
from masking.errors import KagemushaError
from masking.keyring import KeyRef

_PROBE = "smoke.txt"


@dataclass(frozen=True)
class Finding:
    """How one check went: what is there, or our error."""

    name: str
    found: str
    failure: KagemushaError | None = None


@dataclass(frozen=True)
class Smoked:
    """How the smoke run ended."""

    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> int:
        """0 everything is there · 2 something must change · 3 something did not answer."""
        return worst(*(one.failure.exit_code for one in self.findings if one.failure))

    @property
    def reason(self) -> str:
        """Which checks failed, each with the kind of its error."""
        return "; ".join(f"{one.name}: {type(one.failure).__name__}" for one in self.findings if one.failure)


def smoke(settings: Settings) -> Smoked:
    """Tries everything that a load needs, in its order; what fails does not keep the rest from being tried.

    One small object is written to the staging bucket, below the prefix; nothing is read from a table.
    """
    findings = [
        _tried("python", lambda: f"{platform.python_version()} at {sys.executable}, {'-'.join(platform.libc_ver())}"),
        _tried("keyring", lambda: _keyring(settings)),
        _tried("bucket", lambda: _bucket(settings)),
        _tried("bigquery", lambda: _bigquery(settings)),
    ]
    with _reader(settings) as (held, finding):
        findings += [finding, _tried("executors", lambda: look_at_workers(settings, held.snapshot if held else None))]
    return Smoked(tuple(findings))


def _tried(name: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(name, check())
    except KagemushaError as error:
        return Finding(name, "", error)
    except Exception as error:  # noqa: BLE001  a foreign message may quote a secret: its type is all that is said
        kind = type(error).__name__
    return Finding(name, "", Unexpected(f"It failed with {kind}.", not_done="Nothing was read or written."))


def _keyring(settings: Settings) -> str:
    keys = open_keyring(KeyRef(settings.keyring.ref))
    prove_version(keys, keys.primary)
    return f"version {keys.primary}, check value {keys.version(keys.primary).kcv}"


def _bucket(settings: Settings) -> str:
    stage = StagingBucket(StagingLocation.of(settings))
    stage.check()
    name = f"{settings.stage.prefix}/{_PROBE}"
    stage.write(name, b"probe", "text/plain")
    stage.read(name)
    return f"{settings.stage.bucket}: listed, written, read"


def _bigquery(settings: Settings) -> str:
    warehouse = Warehouse.of(settings)
    warehouse.check()
    if warehouse.find_table(f"{settings.bigquery.ops_dataset}.runs") is None:
        raise SettingsInvalid(
            f"BigQuery answers, but the ledger in dataset {settings.bigquery.ops_dataset} is missing.",
            not_done="Nothing was read or written.",
            advice="Run `kagemusha prepare` once, by the account that the job acts as.",
        )
    return f"{settings.bigquery.project}: ledger in {settings.bigquery.ops_dataset} is there"


@contextmanager
def _reader(settings: Settings) -> Iterator[tuple[HeldSnapshot | None, Finding]]:
    """Yields the held reader, proven, and what there is to say of it; None and the failure where there is none."""
    failure: KagemushaError | None = None
    try:
        with hold_snapshot(settings.source, "smoke") as held:
            yield held, Finding("reader", _described(settings, held))
            return
    except KagemushaError as error:
        failure = error
    yield None, Finding("reader", "", failure)


def _described(settings: Settings, held: HeldSnapshot) -> str:
    reader = held.snapshot.reader
    tls = "TLS is not demanded (local)" if settings.source.local else "TLS verified"
    return f"{reader.instance or 'a reader'}, proven to read only, version {reader.version}, {tls}"
