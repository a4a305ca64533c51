#!/usr/bin/env bash
# Every suite, one after the other, with a line of progress for each; goes on after a failure so that
# one run tells all of them. The last line counts what really ran.
set -uo pipefail
cd "$(dirname "$0")/.."

build=${B:-build}
mkdir -p "$build"
export TEST_COUNTS=$PWD/$build/test-counts
: >"$TEST_COUNTS"
broken=0

suite() { # suite NAME COMMAND...: a suite that doesn't count its own tests counts as one
  local name=$1 before started=$SECONDS
  shift
  before=$(wc -l <"$TEST_COUNTS")
  echo "== $name"
  if "$@"; then
    [ "$(wc -l <"$TEST_COUNTS")" -gt "$before" ] || echo "1 0 0" >>"$TEST_COUNTS"
    echo "== $name: passed, $((SECONDS - started)) s"
  else
    # Whatever its own counts say, a suite that ended badly has failed.
    echo "0 1 0" >>"$TEST_COUNTS"
    echo "== $name: FAILED, $((SECONDS - started)) s"
    broken=1
  fi
}

suite "build" make --no-print-directory -s all
suite "layers" make --no-print-directory -s check-layers
suite "lint" make --no-print-directory -s lint
suite "unit" make --no-print-directory -s unit
suite "scenario" make --no-print-directory -s scenario
suite "mutations" make --no-print-directory -s mutations
suite "control plane" make --no-print-directory -s controlplane
suite "integration" make --no-print-directory -s integration
suite "chart" make --no-print-directory -s helm
if [ "$(id -u)" -eq 0 ]; then
  suite "image" make --no-print-directory -s image-test
else
  echo "== image: skipped: only root can build it without Docker"
  echo "0 0 1" >>"$TEST_COUNTS"
fi

tests/counts.sh "$TEST_COUNTS" && [ "$broken" -eq 0 ]
