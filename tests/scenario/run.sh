#!/usr/bin/env bash
# The simulated world in full: every single fault at every step of every story, then random
# schedules of several faults by seed, some of them under ASan. One process a core.
#
#   run.sh BUILD SEEDS [ASAN_SEEDS]     without ASAN_SEEDS: the random ones only, without ASan
#   run.sh BUILD pairs EVERY            every so many-th pair of faults instead; tells each minute
#                                       how many stories are done
set -uo pipefail
build=${1:?directory of the build} seeds=${2:?} asan_seeds=${3:-0} every=${3:-1}
cores=$(nproc)
output=$(mktemp -d)
trap 'rm -rf "$output"' EXIT
status=0
schedules=0

part() { # part NAME PROGRAM ARGUMENTS...: in as many processes as there are cores
  local name=$1 shard count pids=() failed=0 ran=0
  shift
  for ((shard = 0; shard < cores; shard++)); do
    "$@" --keep-going --shard "$shard/$cores" >"$output/$shard" 2>&1 &
    pids+=($!)
  done
  for shard in "${!pids[@]}"; do
    wait "${pids[$shard]}" || failed=1
    count=$(sed -n 's/^\([0-9]*\) schedules.*/\1/p' "$output/$shard" | tail -n 1)
    [ -n "$count" ] || failed=1
    ran=$((ran + ${count:-0}))
  done
  if [ "$failed" -eq 0 ] && [ "$ran" -gt 0 ]; then
    echo "scenario: $name: $ran schedules, none failed; $(tail -n 1 "$output/0" | sed 's/.*, \([0-9]* a second\).*/\1/') a core"
    [ -z "${TEST_COUNTS:-}" ] || echo "1 0 0" >>"$TEST_COUNTS"
  else
    cat "$output"/*
    echo "scenario: $name: FAILED"
    [ -z "${TEST_COUNTS:-}" ] || echo "0 1 0" >>"$TEST_COUNTS"
    status=1
  fi
  schedules=$((schedules + ran))
}

if [ "$seeds" = pairs ]; then
  while true; do
    read -rt 60 <> <(:) || # a pause without a process that would outlive this one
      echo "scenario: $(cat "$output"/* | grep -c ' people ') stories done, each counted $cores times"
  done &
  progress=$!
  trap 'kill $progress; rm -rf "$output"' EXIT
  part "every ${every}th pair of faults" "$build/scenario" --double --every "$every"
  exit $status
fi
[ "$asan_seeds" -eq 0 ] || part "every single fault" "$build/scenario" --single
part "random faults" "$build/scenario" --random --seeds "$seeds" --seed "${SEED:-1}"
[ "$asan_seeds" -eq 0 ] ||
  part "random faults under ASan" "$build/scenario-asan" --random --seeds "$asan_seeds" \
    --seed "${SEED:-1}"
echo "scenario: $schedules schedules in all"
exit $status
