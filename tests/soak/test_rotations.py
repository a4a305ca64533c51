"""Fifty rotations back to back of the chart's workloads, with the operator killed at random, and a
Deepgram that takes its time, so that a kill finds requests under way.

What has to hold is checked after each: see rotation_kills.py. SOAK_ROTATIONS is another number,
ROTATION_SEED repeats the choice of the moments.
"""

import os

from emulator import Emulator
from rotation_kills import SEED, rotate_under_kills
from rotation_rig import Stage

ROTATIONS = int(os.environ.get("SOAK_ROTATIONS", "50"))
LATENCY_MS = 300


def test_rotations_under_random_kills(cluster, tmp_path, say):
    def rotations(rig):
        rotate_under_kills(rig, ROTATIONS, SEED, say)

    say(f"ROTATION_SEED={SEED}")
    with Emulator.start() as emulator:
        emulator.settings(latency_ms=LATENCY_MS)
        stage = Stage(cluster, emulator, tmp_path)
        failure = stage.run_all([rotations], say)[rotations]
    say(stage.sampler.summary())
    assert failure is None, failure
