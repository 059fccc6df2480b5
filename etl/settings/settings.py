"""Settings of an installation: one TOML file, named by `--settings` or `KAGEMUSHA_SETTINGS`; never a secret in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator

from etl.errors import SettingsInvalid
from etl.settings.analysts import RightsSettings, TokenizeSettings, ViewSettings
from etl.settings.reports import CostSettings, LineageSettings, MetricsSettings, SiteSettings
from etl.settings.section import Section
from masking.leaks import Iin
from schemas.toml_file import line_of_setting, read_toml
from schemas.types import EngineName
from schemas.words import Language

VARIABLE = "KAGEMUSHA_SETTINGS"
LOCAL = Path(".local/settings.toml")
"""Where `kagemusha local up` writes the settings of the local stack."""

GOOGLE_TOKEN_URL: Final = "https://sts.googleapis.com/v1/token"  # noqa: S105  an address
_URL_OPTIONS = frozenset(
    {"passfile", "sslrootcert", "sslcert", "sslkey", "keepalives", "keepalives_idle", "tcp_user_timeout"}
)
_MYSQL_URL_OPTIONS = frozenset({"sslrootcert", "truststore"})
_SCHEMES: dict[str, EngineName] = {"postgresql": "postgres", "postgres": "postgres", "mysql": "mysql"}

ReaderName = Literal["adbc", "jdbc"]


Member = Annotated[str, Field(pattern=r"^(user|group|serviceAccount|domain):[^:\s]+$")]
"""How IAM spells a member, such as group:analysts@issuer.example."""


class SourceSettings(Section):
    """The database's ETL endpoint."""

    url: str = Field(
        description="URL of the reader without a password: postgresql://etl_reader@host/issuer, or mysql://…"
    )
    password: str | None = Field(
        None,
        pattern=r"^((env|file|secretsmanager):.+|rds-iam)$",
        description="secretsmanager:NAME-OR-ARN or rds-iam (a token for each connection), each worker for itself; "
        "env:NAME or file:PATH; else libpq's passfile.",
    )
    local: bool = Field(default=False, description="For the local stack alone: TLS is not demanded (MySQL: not used).")
    allowed_instances: tuple[str, ...] = Field((), description="Instance names that may be read; empty: any reader.")
    connect_seconds: float = Field(60, gt=0, description="How long a waking serverless reader is waited for.")
    statement_seconds: int = Field(1800, gt=0, description="statement_timeout of every query.")
    reader: ReaderName | None = Field(
        None, description="What reads rows: adbc (PostgreSQL's default) or jdbc, Spark's own (the only one for MySQL)."
    )
    slice_mib: float = Field(128, gt=0, description="About how much of a table one slice reads.")
    max_lag_seconds: float = Field(60, gt=0, description="How far the reader may be behind the writer.")
    lag_wait_seconds: float = Field(120, ge=0, description="How long a run waits for a reader that is further behind.")
    lock_wait_seconds: float = Field(30, gt=0, description="How long a run waits for a change of a table to end.")
    hold_seconds: float = Field(
        14_400, gt=0, description="How long a run may hold its snapshot, and lock its tables against changes of them."
    )
    max_connections: int = Field(16, ge=2, description="Connections of a run at once; one of them holds the snapshot.")
    connections_share: float = Field(0.25, gt=0, le=1, description="Never more than this share of the server's own.")
    silence_seconds: float = Field(60, gt=0, description="How long the reader may not answer before a run gives up.")
    max_cpu_percent: float | None = Field(None, gt=0, le=100, description="CloudWatch CPUUtilization to back off from.")
    max_acu_percent: float | None = Field(None, gt=0, le=100, description="CloudWatch ACUUtilization, the same.")

    @field_validator("url")
    @classmethod
    def _no_password(cls, url: str) -> str:
        shape = "must look like postgresql://user@host:port/database, or mysql://…"
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError:  # its text quotes the URL
            raise ValueError(f"{shape}, with one port") from None
        if parts.scheme not in _SCHEMES or not parts.hostname or not parts.path.strip("/"):
            raise ValueError(shape)
        options = dict(parse_qsl(parts.query))
        if parts.password or "password" in options:
            raise ValueError(
                'must not hold a password; use `password = "secretsmanager:…"`, `env:…`, `file:…` or a passfile'
            )
        known = _MYSQL_URL_OPTIONS if _SCHEMES[parts.scheme] == "mysql" else _URL_OPTIONS
        if set(options) - known:
            raise ValueError(f"may have the options {', '.join(sorted(known))} only; host and TLS are not options")
        return url

    @property
    def engine(self) -> EngineName:
        """The database engine that the URL's scheme names."""
        return _SCHEMES[urlsplit(self.url).scheme]

    @property
    def rows_by(self) -> ReaderName:
        """What reads rows: as set, else the engine's default."""
        return self.reader or ("jdbc" if self.engine == "mysql" else "adbc")

    @model_validator(mode="after")
    def _a_reader_of_the_engine(self) -> SourceSettings:
        if self.engine == "mysql" and self.reader == "adbc":
            raise ValueError('reader must be "jdbc" for MySQL')
        return self


class StagingSettings(Section):
    """The Cloud Storage bucket for staged files."""

    bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$")
    prefix: str = Field("kagemusha", pattern=r"^[A-Za-z0-9_./-]+$")
    endpoint: str | None = Field(None, description="Only for a local storage server.")
    keep_days: int = Field(3, ge=1, description="Staged files of older runs are deleted after this many days.")


class DatasetAccess(Section):
    """Who may use one dataset; nobody else loses access by it."""

    readers: tuple[Member, ...] = Field((), description="Who may read its tables.")
    writers: tuple[Member, ...] = Field((), description="Who may change its tables.")


class BigQuerySettings(Section):
    """Where tables are published."""

    project: str
    location: str = "asia-northeast1"
    endpoint: str | None = Field(None, description="Only for a local BigQuery server.")
    kms_key: str | None = Field(
        None,
        pattern=r"^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$",
        description="The customer-managed key of new tables and datasets; in the same location.",
    )
    access: dict[str, DatasetAccess] = Field(
        default_factory=dict, description="dataset → who may use it; set when the dataset is first used or prepared."
    )
    authorize_views: bool = Field(
        default=False, description="Whoever may read the views then needs no access to the tables under them."
    )
    most_gib_billed: float = Field(
        2048, gt=0, description="BigQuery refuses a query or statement of ours that would read more."
    )
    rights: RightsSettings = RightsSettings()
    views: ViewSettings = ViewSettings()
    views_dataset: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]*$")] = "looker"
    ops_dataset: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]*$")] = "ops"
    descriptions: Language = Field(
        "en", description="Of tables, columns and views, where the contract has more than one language."
    )

    @property
    def own_datasets(self) -> tuple[str, str]:
        """The datasets that belong to the product: no contract publishes into them, no view reads from them."""
        return self.ops_dataset, self.views_dataset

    @model_validator(mode="after")
    def _apart(self) -> BigQuerySettings:
        if self.ops_dataset == self.views_dataset:
            raise ValueError("ops_dataset and views_dataset must differ")
        return self


class GoogleSettings(Section):
    """How the job logs in to Google; never a key or a token."""

    login: Literal["default", "service_account_file", "workload_identity"] = Field(
        "default",
        description="default: application default credentials; workload_identity: by the job's AWS role, without keys.",
    )
    audience: str | None = Field(
        None,
        pattern=r"^//iam\.googleapis\.com/projects/\d+/locations/global/workloadIdentityPools/[^/]+/providers/[^/]+$",
        description="The pool's AWS provider, for workload_identity.",
    )
    service_account: str | None = Field(
        None,
        pattern=r"^[^@/\s]+@[^@/\s]+$",
        description="Whom workload_identity acts as; empty: the role's own grants.",
    )
    service_account_file: Path | None = Field(None, description="A key file of mode 0600, for service_account_file.")
    aws_region: str | None = Field(None, pattern=r"^[a-z0-9-]+$", description="Empty: the job's own region.")
    token_url: str = Field(GOOGLE_TOKEN_URL, description="Only for a local token service.")
    iam_url: str = Field("https://iamcredentials.googleapis.com", description="Only for a local token service.")

    @property
    def impersonation_url(self) -> str | None:
        """Where a token of the service account is asked for; None when the role acts for itself."""
        if self.service_account is None:
            return None
        return f"{self.iam_url}/v1/projects/-/serviceAccounts/{self.service_account}:generateAccessToken"

    @field_validator("token_url", "iam_url")
    @classmethod
    def _private(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
        except ValueError:  # its text quotes the URL
            raise ValueError("must be a URL") from None
        if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "localhost"}:
            raise ValueError("must begin with https://, but for a server on this machine")
        return url

    @model_validator(mode="after")
    def _complete(self) -> GoogleSettings:
        if self.login == "workload_identity" and not self.audience:
            raise ValueError('login = "workload_identity" needs an audience')
        if self.login == "service_account_file" and not self.service_account_file:
            raise ValueError('login = "service_account_file" needs a service_account_file')
        return self


class CardSettings(Section):
    """Which cards are the issuer's own: a readable one stops any table, and nothing allows it."""

    own_iins: tuple[Iin, ...] = Field(
        (), description="First 6 to 8 digits of all cards that this issuer gives out, house cards of any scheme too."
    )


class KeyringSettings(Section):
    """Where the keyring is; never the key."""

    ref: str = Field(description="file:PATH for development, or a KMS-wrapped keyring.")


class DetokenizeSettings(Section):
    """Whose tokens may be turned back, and where each look is written down."""

    audit_log: Path | None = Field(None, description="A file of JSON lines that only grows; without it, --audit-log.")
    domains: tuple[str, ...] = Field((), description="Domains that may be turned back; empty: every reversible one.")


class LimitSettings(Section):
    """How much runs at once."""

    tables_at_once: int = Field(4, ge=1, le=32)
    backfill_days: int = Field(31, ge=1, le=400, description="Business days that a step of a backfill loads.")
    lease_seconds: int = Field(
        180, ge=5, le=3600, description="How long a killed run still keeps its tables; a living one renews in time."
    )
    worker_wait_seconds: float = Field(
        300, gt=0, description="How long a cluster may take to give a run a worker before the run gives up."
    )
    lease_wait_seconds: float = Field(
        0, ge=0, le=7200, description="How long a run waits for tables that another run holds before it gives up."
    )


class Settings(Section):
    """Everything an installation decides."""

    source: SourceSettings
    stage: StagingSettings
    bigquery: BigQuerySettings
    keyring: KeyringSettings
    google: GoogleSettings = GoogleSettings()
    cards: CardSettings = CardSettings()
    limits: LimitSettings = LimitSettings()
    costs: CostSettings = CostSettings()
    detokenize: DetokenizeSettings = DetokenizeSettings()
    tokenize: TokenizeSettings = TokenizeSettings()
    site: SiteSettings = SiteSettings()
    lineage: LineageSettings = LineageSettings()
    metrics: MetricsSettings = MetricsSettings()
    local: dict[str, str] = Field(default_factory=dict, description="What only the local stack's own tools read.")


def load_settings(path: Path | None = None) -> Settings:
    """Returns the settings of a file; without one, of `$KAGEMUSHA_SETTINGS`, else of the local stack.

    Raises:
        SettingsInvalid: the file is missing, not TOML, or a setting is wrong; named by its place, never by its value.
    """
    chosen = path or Path(os.environ.get(VARIABLE, LOCAL))
    text, raw, problem, line = read_toml(chosen)
    settings = None
    if not problem:
        try:
            settings = Settings.model_validate(raw)
        except ValidationError as error:
            details = error.errors(include_url=False, include_context=False, include_input=False)
            line = line_of_setting(text, details[0]["loc"])
            problem = (
                "Settings are wrong: "
                + "; ".join(
                    f"{'.'.join(map(str, item['loc']))} {item['msg'].removeprefix('Value error, ')}" for item in details
                )
                + "."
            )
    if settings is None:
        raise SettingsInvalid(
            problem,
            not_done="Nothing ran.",
            advice="Name a file with --settings, or start the local stack with `kagemusha local up`.",
            where={"settings": f"{chosen}:{line}" if line else chosen},
        )
    return settings
