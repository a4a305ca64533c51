#!/usr/bin/env python3
"""One issue of N resources, for an operator under a profiler (OPERATOR_WRAPPER): README.md."""

import sys
import tempfile
import time

from bench import issue
from rig import Rig


def main():
    count = int(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="bench-") as directory, Rig(directory) as rig:
        emulator, tenant = rig.deepgram()
        with emulator:
            process = rig.operator(emulator).start()
            time.sleep(1)
            for name, value in issue(rig, tenant, process, count).items():
                print(f"{name}: {value}")
            process.stop(grace_s=60)


if __name__ == "__main__":
    main()
