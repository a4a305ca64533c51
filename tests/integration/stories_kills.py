"""Rotations back to back while the operator is killed at random: the same as without.

`make soak` does fifty of them.
"""

from rotation_kills import SEED, rotate_under_kills
from rotation_rig import Stories

STORIES = Stories()
ROTATIONS = 5


@STORIES.add_long
def five_rotations_under_kills(rig):
    rotate_under_kills(rig, ROTATIONS, SEED)
