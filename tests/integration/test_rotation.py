"""Rotations with their roll-outs, of which each story is told in one of the modules imported here.

Of all of them, sampled: every running or terminating pod's key is alive at every instant.
"""

import pytest

import stories_kills
import stories_others
import stories_rollback
import stories_rotation
import stories_times
import stories_workloads
from rotation_kills import SEED
from rotation_rig import name_of

STORIES = [
    *stories_kills.STORIES,
    *stories_rotation.STORIES,
    *stories_times.STORIES,
    *stories_rollback.STORIES,
    *stories_workloads.STORIES,
    *stories_others.STORIES,
]


@pytest.mark.parametrize("story", STORIES, ids=name_of)
def test_rotation(told, story):
    assert told[story] is None, f"ROTATION_SEED={SEED}\n{told[story]}"
