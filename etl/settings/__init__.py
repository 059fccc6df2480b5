"""Settings of an installation: one TOML file; what is in it, and how it is read."""

from etl.settings.analysts import RightsSettings, TokenizeSettings, ViewSettings
from etl.settings.settings import (
    GOOGLE_TOKEN_URL,
    LOCAL,
    VARIABLE,
    BigQuerySettings,
    DatasetAccess,
    DetokenizeSettings,
    GoogleSettings,
    KeyringSettings,
    LimitSettings,
    ReaderName,
    Settings,
    SourceSettings,
    load_settings,
)

__all__ = [
    "GOOGLE_TOKEN_URL",
    "LOCAL",
    "VARIABLE",
    "BigQuerySettings",
    "DatasetAccess",
    "DetokenizeSettings",
    "GoogleSettings",
    "KeyringSettings",
    "LimitSettings",
    "ReaderName",
    "RightsSettings",
    "Settings",
    "SourceSettings",
    "TokenizeSettings",
    "ViewSettings",
    "load_settings",
]
