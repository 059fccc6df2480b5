#!/usr/bin/env bash
# Makes a bare checkout able to run: .venv (Python 3.11), .venv-bigquery (Python 3.13), the servers PostgreSQL and MariaDB, Java.
# `bootstrap.sh deploy` also makes .venv-deploy, the checkers of the deployment (470 MB, so only when it is asked for);
# `bootstrap.sh site` also gets Chromium and axe-core, by which the site is looked at (400 MB);
# `bootstrap.sh peers` also makes .venv-peers, the tools that `make bench` measures ours beside (650 MB);
# `bootstrap.sh exports` also makes .venv-exports, the tools that read our exports, dbt among them.
# What is there already is left alone, so a second run takes a moment. System packages are installed only as root with
# apt; otherwise a line says what is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "bootstrap: $*" >&2; }
fail() { say "$*"; exit 2; }

# --- Debian packages -------------------------------------------------------------------------------------------------

has_postgres() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null; }
has_java() { java -version >/dev/null 2>&1; }
has_venv() { local python; python=$(find_python 3.11) && "$python" -c "import ensurepip" 2>/dev/null; }
has_mariadb() { [ -x /usr/sbin/mariadbd ]; }
has_jdbc_drivers() { [ -e /usr/share/java/postgresql.jar ] && [ -e /usr/share/java/mariadb-java-client.jar ]; }

install_packages() { # PACKAGE…
  say "installing Debian packages: $*"
  export DEBIAN_FRONTEND=noninteractive
  # The package `postgresql` would create and start a server of its own the first time it is installed. Ours is enough.
  local no_server=/etc/postgresql-common/createcluster.d/kagemusha.conf
  mkdir -p "$(dirname "$no_server")"
  echo "create_main_cluster = false" >"$no_server"
  apt-get update -qq || say "the package lists could not be renewed; trying with those that are there"
  local status=0
  apt-get install -y -qq --no-install-recommends "$@" >/dev/null || status=$?
  rm -f "$no_server"
  return $status
}

system_packages() {
  local wanted=()
  has_postgres || wanted+=(postgresql)
  has_mariadb || wanted+=(mariadb-server)
  has_jdbc_drivers || wanted+=(libpostgresql-jdbc-java libmariadb-java)
  has_java || wanted+=(openjdk-17-jre-headless)
  has_venv || wanted+=(python3-venv)
  [ ${#wanted[@]} -gt 0 ] || return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    install_packages "${wanted[@]}" || say "not all of these could be installed: ${wanted[*]}"
  fi
  has_mariadb || say "MariaDB's server programs are missing (mariadb-server): Aurora MySQL cannot be stood in for"
  has_jdbc_drivers || say "JDBC drivers are missing (libpostgresql-jdbc-java, libmariadb-java): Spark JDBC cannot read"
  has_postgres || fail "PostgreSQL's server programs are missing. As root: apt-get install postgresql"
  has_java || fail "Java 17 is missing, which Spark runs on. As root: apt-get install openjdk-17-jre-headless"
}

# --- A browser ----------------------------------------------------------------------------------------------------------

AXE=4.14.1
AXE_SHA512=1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b734f8c22a0dab86ee6a6f64b8afbe804b214d36db85a2826965edfb3a0b9d546b5
has_chromium() { command -v chromium >/dev/null || command -v chromium-headless-shell >/dev/null || command -v google-chrome >/dev/null; }

browser() {
  if ! has_chromium && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    install_packages chromium fonts-noto-cjk || true
  fi
  has_chromium || fail "Chromium is missing. As root: apt-get install chromium fonts-noto-cjk"
  [ ! -e .venv-site/axe.min.js ] || return 0
  command -v npm >/dev/null || fail "npm is missing, which gets axe-core. As root: apt-get install npm"
  say "getting axe-core $AXE"
  rm -rf .venv-site && mkdir .venv-site
  npm pack --silent --pack-destination .venv-site "axe-core@$AXE" >/dev/null
  echo "$AXE_SHA512  .venv-site/axe-core-$AXE.tgz" | sha512sum --check --quiet || fail "axe-core is not what was expected"
  tar -xzf ".venv-site/axe-core-$AXE.tgz" -C .venv-site --strip-components 1 package/axe.min.js
}

# --- Python ----------------------------------------------------------------------------------------------------------

# A name on PATH proves nothing: pyenv leaves commands that refuse to run. So each candidate has to answer.
is_python() { "$1" -c "import sys; sys.exit(sys.version_info[:2] != (${2/./, }))" >/dev/null 2>&1; }

find_python() { # VERSION
  local candidate
  for candidate in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/python python3 python; do
    if is_python "$candidate" "$1"; then
      "$candidate" -c "import sys; print(sys.executable)"
      return 0
    fi
  done
  return 1
}

# Gives what a virtual environment depends on; when it changes, the environment is made anew.
fingerprint() { cat "$@" | sha256sum | cut -d ' ' -f 1; }
is_made() { [ -x "$1/bin/python" ] && [ "$(cat "$1/.made-from" 2>/dev/null)" = "$2" ]; }

make_main() {
  local python
  python=$(find_python 3.11) || fail "Python 3.11 is missing. Debian 12: apt-get install python3-venv; elsewhere: pyenv install 3.11"
  has_venv || fail "$python cannot make virtual environments. As root: apt-get install python3-venv"
  say "making .venv with $python"
  "$python" -m venv --clear .venv
  awk '/^uv==/ {on=1} on {print} on && !/\\$/ {exit}' requirements-dev.lock >.venv/uv.lock
  .venv/bin/python -m pip install -qq --no-deps --require-hashes -r .venv/uv.lock
}

fill_main() {
  install_locked .venv requirements-dev.lock
  echo "$main_is" >.venv/.made-from
}

# uv is many times faster than pip; pip knows how to reach indexes that only pip was told about. Both compile what they
# install: an environment that forbids Python to write byte code would pay for compiling at every start.
install_locked() { # ENVIRONMENT LOCK
  UV_COMPILE_BYTECODE=1 .venv/bin/uv pip install --quiet --python "$1/bin/python" --require-hashes -r "$2" && return
  say "uv could not install $2; trying pip"
  "$1/bin/python" -m pip --version >/dev/null 2>&1 || "$1/bin/python" -m ensurepip >/dev/null
  "$1/bin/python" -m pip install -qq --require-hashes -r "$2"
}

make_bigquery() {
  local python
  python=$(find_python 3.13) || python=$(.venv/bin/uv python install --quiet 3.13 && .venv/bin/uv python find --managed-python 3.13) ||
    fail "Python 3.13 is missing, which the local BigQuery server needs. Install it (pyenv install 3.13, uv python install 3.13)."
  say "making .venv-bigquery with $python"
  .venv/bin/uv venv --quiet --clear --python "$python" .venv-bigquery
  install_locked .venv-bigquery requirements-bigquery.lock
  echo "$bigquery_is" >.venv-bigquery/.made-from
}

# The environments of single targets: their lock and folder have their name.
make_for() { # NAME
  local made_from
  made_from=$(fingerprint "requirements-$1.lock")
  ! is_made ".venv-$1" "$made_from" || return 0
  say "making .venv-$1"
  .venv/bin/uv venv --quiet --clear --python .venv/bin/python ".venv-$1" || return 1
  install_locked ".venv-$1" "requirements-$1.lock" || return 1
  echo "$made_from" >".venv-$1/.made-from"
}

main_is=$(fingerprint requirements-dev.lock)
bigquery_is=$(fingerprint requirements-bigquery.lock)
package_is=$(fingerprint setup.py pyproject.toml)

system_packages
parts=()
if ! is_made .venv "$main_is"; then
  make_main
  fill_main &
  parts+=($!)
fi
if ! is_made .venv-bigquery "$bigquery_is"; then
  make_bigquery &
  parts+=($!)
fi
for part in "${parts[@]}"; do wait "$part" || fail "the virtual environments are not complete; run it again"; done
if [ "$(cat .venv/.package-from 2>/dev/null)" != "$package_is" ]; then
  .venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
  echo "$package_is" >.venv/.package-from
fi
compgen -G '.venv/share/kagemusha/spark-*.jsa' >/dev/null || .venv/bin/kagemusha local warm >/dev/null || say "Spark will start more slowly"
case "${1:-}" in
  site) browser ;;
  deploy | exports) make_for "$1" ;;
  peers) make_for peers || say "not all peers could be installed: make bench leaves them out" ;;
esac
