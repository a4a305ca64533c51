#!/usr/bin/env python3
"""Runs unit test programs, each in its own process with a time-out, and replays fuzz corpora.

    run.py PROGRAM... [--replay PROGRAM...]

Counts come from cmocka's own closing lines. With TEST_COUNTS set, a line "passed failed skipped"
is appended to that file.
"""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TIMEOUT_S = 120
CORPORA = Path(__file__).resolve().parents[1] / "fuzz" / "corpus"


def run(command):
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0"}
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            timeout=TIMEOUT_S, env=environment,
        )
        return done.returncode, done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as expired:
        output = (expired.stdout or b"").decode(errors="replace")
        return -1, f"{output}\nnot done within {TIMEOUT_S} s"


def count(pattern, output):
    return sum(int(number) for number in re.findall(pattern, output, re.MULTILINE))


def unit(program):
    code, output = run([program])
    passed = count(r"^\[  PASSED  \] (\d+) test", output)
    skipped = count(r"^\[  SKIPPED \] (\d+) test", output)
    failed = count(r"^ ?\[  FAILED  \] (\d+) test", output) or count(r"^ ?(\d+) FAILED TEST", output)
    if code != 0 and failed == 0:
        failed = 1  # crashed, leaked or hung outside of a test
    if passed + failed + skipped == 0:
        failed = 1  # a program without tests proves nothing
    return program, passed, failed, skipped, output


def replay(program):
    inputs = sorted((CORPORA / Path(program).name.removeprefix("fuzz_")).glob("*"))
    code, output = run([program, *map(str, inputs)])
    ok = code == 0 and inputs
    return program, int(bool(ok)), int(not ok), 0, output or "no corpus"


def main(arguments):
    split = arguments.index("--replay") if "--replay" in arguments else len(arguments)
    jobs = [(unit, p) for p in arguments[:split]] + [(replay, p) for p in arguments[split + 1:]]
    totals = [0, 0, 0]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for program, passed, failed, skipped, output in pool.map(lambda job: job[0](job[1]), jobs):
            totals = [a + b for a, b in zip(totals, (passed, failed, skipped))]
            if failed:
                print(output)
                print(f"FAILED {program}")
    print("unit: {} passed, {} failed, {} skipped".format(*totals))
    if "TEST_COUNTS" in os.environ:
        with open(os.environ["TEST_COUNTS"], "a") as counts:
            counts.write("{} {} {}\n".format(*totals))
    return 1 if totals[1] or not totals[0] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
