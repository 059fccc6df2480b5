#!/usr/bin/env bash
# Renews requirements*.lock from requirements*.in, and scripts/matrix/*.lock. Pins stay as they are unless an .in file asks
# for others; `make lock UPGRADE=--upgrade` takes the newest of everything that is not pinned.
set -euo pipefail
cd "$(dirname "$0")/.."

compile() { # OUT ARGUMENT…
  local out=$1
  shift
  .venv/bin/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links \
    --custom-compile-command "make lock" ${UPGRADE:-} --output-file "$out" "$@"
}

compile requirements.lock --python .venv/bin/python requirements.in
compile requirements-dev.lock --python .venv/bin/python requirements-dev.in
compile requirements-bigquery.lock --python .venv-bigquery/bin/python requirements-bigquery.in
# These take nothing that the other environments pin, so the first Python 3.11 has to do: Debian 12 has 3.11.2.
compile requirements-deploy.lock --python .venv/bin/python --python-version 3.11 requirements-deploy.in
compile requirements-exports.lock --python .venv/bin/python --python-version 3.11 requirements-exports.in
compile requirements-peers.lock --python .venv/bin/python --python-version 3.11 requirements-peers.in

# The other runtimes: the same demands, but for the versions that a file of the matrix puts in their place.
for wanted in scripts/matrix/*.txt; do
  sed '/^-c/d' requirements-dev.in | compile "${wanted%.txt}.lock" --no-annotate \
    --python-version "$(sed -n 's/^# Python //p' "$wanted")" --override "$wanted" -
done
