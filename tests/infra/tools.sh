# shellcheck shell=bash
# Sourced by the scripts beside it: puts the pinned tools of a requirements file on PATH. They live under target/.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# tools NAME [PIP OPTION...]: installs requirements-NAME.txt (or requirements.txt for `check`) once.
tools() {
  local name=$1 list="$root/tests/infra/requirements-$1.txt" venv="$root/target/tools/$1"
  shift
  [ "$name" = check ] && list="$root/tests/infra/requirements.txt"
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Python 3.11 or newer is needed" >&2
    return 1
  }
  if ! cmp -s "$list" "$venv/installed.txt"; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "$@" --requirement "$list"
    cp "$list" "$venv/installed.txt"
  fi
  export PATH="$venv/bin:$PATH"
}
