#!/usr/bin/env bash
# Renews requirements*.lock from requirements*.in. Pins stay as they are unless an .in file asks for others;
# `make lock UPGRADE=--upgrade` takes the newest of everything that is not pinned.
set -euo pipefail
cd "$(dirname "$0")/.."

compile() {
  .venv/bin/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links \
    --custom-compile-command "make lock" ${UPGRADE:-} --python "$2" "$1.in" --output-file "$1.lock"
}

compile requirements .venv/bin/python
compile requirements-dev .venv/bin/python
compile requirements-bigquery .venv-bigquery/bin/python
compile requirements-deploy .venv/bin/python
compile requirements-exports .venv/bin/python
