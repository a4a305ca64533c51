#!/usr/bin/env bash
# The integration suite: with the sanitizers' build of the operator and on two control planes at once,
# as most of it waits; but for the files that measure (test_scale, test_footprint) or bring their own
# checker (test_valgrind), which have the machine to themselves. Further arguments go to pytest.
set -uo pipefail
build=$(cd "${1:?directory of the build}" && pwd)
shift
cd "$(dirname "$0")"

# test_footprint before the namespaces that test_scale deletes: each that goes wakes up every watch
measured=(test_footprint.py test_scale.py test_valgrind.py)
ignore=()
present=()
for file in "${measured[@]}"; do
  ignore+=("--ignore=$file")
  [ ! -f "$file" ] || present+=("$file")
done
pytest=("$build/venv/bin/python" -m pytest -p no:cacheprovider -q --durations=5)
status=0
DEEPGRAM_OPERATOR=$build/deepgram-operator-asan "${pytest[@]}" --numprocesses 2 --dist loadfile \
  "${ignore[@]}" "$@" || status=1
DEEPGRAM_OPERATOR=$build/deepgram-operator "${pytest[@]}" "${present[@]}" "$@" || status=1
exit $status
