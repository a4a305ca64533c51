#!/usr/bin/env bash
# What takes too long for every day: each file of this directory, with the sanitizers' build of the
# operator. Everything is on loopback, ends by itself, and tells how far it is. Further arguments go to
# pytest.
set -euo pipefail
build=$(cd "${1:?directory of the build}" && pwd)
shift
cd "$(dirname "$0")/../integration"
export DEEPGRAM_OPERATOR=$build/deepgram-operator-asan
# Its fixtures are those of integration/.
exec "$build/venv/bin/python" -m pytest -p conftest -p no:cacheprovider -q --durations=0 ../soak "$@"
