#!/usr/bin/env bash
# Makes the tests' Python environment and links it as build/venv (or as the first argument says).
#
# It lives in a cache outside the clone, keyed by the hash of requirements.txt and the Python that
# made it: cold about half a minute, afterwards a link.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
link=${1:-$here/../build/venv}
python=${PYTHON:-python3}

command -v "$python" >/dev/null || { echo "venv: $python not found: install Python 3.11 or newer" >&2; exit 1; }

key=$({ cat "$here/requirements.txt"; "$python" -c 'import sys; print(sys.version, sys.executable)'; } | sha256sum | cut -c1-16)
venv=${DEEPGRAM_OPERATOR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/deepgram-operator}/venv-$key

install_venv_module() { # Debian ships ensurepip in a package of its own
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || { echo "venv: Python's venv module is missing: apt-get install python3-venv" >&2; exit 1; }
    as_root=(sudo -n)
  fi
  echo "venv: installing python3-venv"
  "${as_root[@]}" apt-get update -q
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends python3-venv
}

mkdir -p "$venv" "$(dirname "$link")"
exec 9>"$venv/lock" # two makes at once install once
flock 9

if [ ! -e "$venv/complete" ]; then
  "$python" -c 'import ensurepip, venv' 2>/dev/null || install_venv_module
  echo "venv: installing tests/requirements.txt into $venv"
  "$python" -m venv --clear "$venv/env"
  "$venv/env/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
  touch "$venv/complete"
  echo "venv: done in $SECONDS s"
fi
ln -sfn "$venv/env" "$link"
