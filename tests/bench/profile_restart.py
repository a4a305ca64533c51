#!/usr/bin/env python3
"""The start of an operator beside N Ready resources, under a profiler (OPERATOR_WRAPPER): README.md."""

import sys

from measure import issue, wait_quiet
from rig import Deepgram, Rig, operator_process


def main():
    count = int(sys.argv[1])
    wrapper, operator_process.WRAPPER = operator_process.WRAPPER, []
    with Rig() as rig, Deepgram(rig) as deepgram:
        process = rig.operator(deepgram).start()
        issue(rig, deepgram, process, count)
        process.stop()
        operator_process.WRAPPER = wrapper
        process = rig.operator(deepgram).start()
        wait_quiet(process.cpu_seconds)
        print(f"cpu_s: {process.cpu_seconds()}, peak_mib: {process.peak_kib() / 1024}")
        process.stop(grace_s=60)


if __name__ == "__main__":
    main()
