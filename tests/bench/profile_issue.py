#!/usr/bin/env python3
"""One issue of N resources, for an operator under a profiler (OPERATOR_WRAPPER): README.md."""

import sys
import time

from measure import issue
from rig import Deepgram, Rig


def main():
    count = int(sys.argv[1])
    with Rig() as rig, Deepgram(rig) as deepgram:
        process = rig.operator(deepgram).start()
        time.sleep(1)
        for name, value in issue(rig, deepgram, process, count).items():
            print(f"{name}: {value}")
        process.stop(grace_s=60)


if __name__ == "__main__":
    main()
