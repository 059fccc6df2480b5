"""Describes the distribution `kagemusha`; tool settings live in pyproject.toml."""

import os
from pathlib import Path

from setuptools import find_packages, setup

COMMIT = os.environ.get("KAGEMUSHA_COMMIT", "")
"""What the package was built from, where a build says it: the ledger and the evidence of a run name it."""
PACKAGES = ("etl", "masking", "schemas", "jobs", "expectations")
DATA = ("*.yaml", "*.json", "*.sql", "*.md", "*.css", "*.html", "*.js", "py.typed")

setup(
    name="kagemusha",
    version=f"0.1.0+g{COMMIT}" if COMMIT else "0.1.0",
    description="Copies a card issuer's Aurora tables into BigQuery, with a double for every card number and person.",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    python_requires=">=3.11,<3.14",
    packages=find_packages(include=[*PACKAGES, *(f"{package}.*" for package in PACKAGES)]),
    package_data={"": [*DATA], "schemas": [f"views/{pattern}" for pattern in DATA]},
    install_requires=[
        "adbc-driver-manager>=1.6,<2",
        "adbc-driver-postgresql>=1.6,<2",
        "boto3>=1.34,<2",
        "cryptography>=42",
        "google-cloud-bigquery>=3.25,<4",
        "google-cloud-storage>=2.18,<4",
        "google-crc32c>=1.5,<2",
        "great-expectations>=1.3,<2",
        "jinja2>=3.1,<4",
        "markupsafe>=2.1,<4",
        "numpy>=1.26,<3",
        "pandas>=2.1,<3",
        "psycopg[binary]>=3.1,<4",
        "pyarrow>=16",
        "pydantic>=2.9,<3",
        "pymysql>=1.1,<2",
        "pyyaml>=6,<7",
        "rich>=13",
        "typer>=0.12",
    ],
    extras_require={"spark": ["pyspark>=3.5.4,<5"]},  # the Glue runtime brings its own
    entry_points={"console_scripts": ["kagemusha = etl.cli:main"]},
)
