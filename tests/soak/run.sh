#!/usr/bin/env bash
# What takes too long for every day: each file of this directory, and fifty failovers under load, with
# the sanitizers' build of the operator. Everything is on loopback, ends by itself, and tells how far it is. Further arguments go to
# pytest.
set -euo pipefail
build=$(cd "${1:?directory of the build}" && pwd)
shift
cd "$(dirname "$0")/../integration"
export DEEPGRAM_OPERATOR=$build/deepgram-operator-asan
export FAILOVERS=${FAILOVERS:-50}
# Its fixtures are those of integration/.
exec "$build/venv/bin/python" -m pytest -p conftest -p no:cacheprovider -q --durations=0 ../soak \
  test_failover.py::test_nothing_is_minted_twice_when_leaders_end_under_load "$@"
