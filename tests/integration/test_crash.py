"""Nothing leaks and nothing is lost, whatever ends the operator, the API server or an answer.

Judged from the emulator's log and state and from the API server's audit log, never from what the
operator says about itself.
"""

import pytest

from killing import POINTS, Stage, kill_everywhere
from stories import STORIES


@pytest.fixture(scope="module")
def stage(control_plane, shared_emulator, tmp_path_factory):
    return Stage(control_plane, shared_emulator, tmp_path_factory.mktemp("crash"))


# ---- killed at each request ----


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.slug)
def test_killed_at_every_request(stage, story, say):
    failures = kill_everywhere(stage, story, say)
    assert not failures, "\n\n".join(failures)


def test_no_request_is_without_a_kill_point(stage):
    """Also of those that only a recovery sends."""
    missed = {seen for seen in stage.seen if stage.killed.get(seen, set()) != set(POINTS)}
    assert stage.seen and not missed
