#!/usr/bin/env python3
"""Breaks the lifecycle in one place after the other, and demands that the simulated world notices
each by the invariant it is meant for: a suite that can't fail proves nothing.

    mutate.py BUILD [NAME…]       BUILD holds torture/ of `make scenario`
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mutations import MUTATIONS

ROOT = Path(__file__).resolve().parents[2]
FLAGS = ["-std=gnu17", "-D_GNU_SOURCE", "-O2", "-w", '-DDEEPGRAM_OPERATOR_VERSION="0"']
LIBRARIES = ["-lcurl", "-lwebsockets", "-lcjson", "-lyaml", "-lcrypto"]
TIMEOUT_S = 120


def build_mutant(build, work, file, text, replacement):
    """Compiles the changed file of a copy; the unchanged rest comes from the archive behind it."""
    copy = work / "controller"
    shutil.copytree(ROOT / "controller", copy)
    source = copy / file
    before = source.read_text()
    if before.count(text) != 1:
        return f"the text occurs {before.count(text)} times in {file}"
    source.write_text(before.replace(text, replacement))
    mutant = work / "mutant.o"
    program = work / "scenario"
    world = sorted((build / "torture/tests/scenario").glob("*.o"))
    for command in (["gcc", *FLAGS, f"-I{copy}", "-c", "-o", mutant, source],
                    ["gcc", "-o", program, *world, mutant, build / "torture/controller.a",
                     *LIBRARIES]):
        done = subprocess.run(command, text=True, stderr=subprocess.PIPE)
        if done.returncode != 0:
            return f"does not compile:\n{done.stderr}"
    return None


def caught_by(work, arguments):
    """The invariant that failed first, or why there is none."""
    try:
        done = subprocess.run([work / "scenario", "--first", *arguments], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return "nothing within the time", ""
    found = re.search(r"^FAIL (\w+): (.*\n.*)", done.stdout, re.MULTILINE)
    if not found and arguments[0] == "--replay":
        found = re.search(r"^(\w+) (.*)\Z", done.stdout.rstrip().splitlines()[-1])
    return (found[1], re.sub(r"\n *", "\n      ", found[2])) if found else ("nothing", "")


def examine(build, mutation):
    name, file, text, replacement, wanted, arguments = mutation
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        problem = build_mutant(build, work, file, text, replacement)
        if problem:
            print(f"FAIL {name}: {problem}")
            return False
        caught, detail = caught_by(work, arguments)
    good = caught in wanted.split("|")
    print(f"{'ok  ' if good else 'FAIL'} {name}: {caught}" +
          (f" ({detail})" if detail and not good else "") +
          ("" if good else f", should be {wanted}"), flush=True)
    return good


def main():
    build = Path(sys.argv[1]).resolve()
    chosen = [m for m in MUTATIONS if not sys.argv[2:] or m[0] in sys.argv[2:]]
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        results = list(workers.map(lambda mutation: examine(build, mutation), chosen))
    print(f"{sum(results)} of {len(results)} mutations were caught")
    if "TEST_COUNTS" in os.environ:
        with open(os.environ["TEST_COUNTS"], "a") as counts:
            counts.write(f"{sum(results)} {len(results) - sum(results)} 0\n")
    return 0 if all(results) and results else 1


if __name__ == "__main__":
    sys.exit(main())
