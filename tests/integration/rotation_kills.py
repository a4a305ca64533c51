"""Rotations back to back, and the operator killed at random moments of them."""

import os
import random
import time

from resources import condition
from rotation_rig import KEY
from workloads import CHART

SEED = int(os.environ.get("ROTATION_SEED", random.randrange(1 << 32)))
LONGEST_PAUSE_S = 9.0  # between two kills; a rotation takes about twice as long
AIMED_EVERY = 2  # rotations: there the first kill strikes while the create has no answer yet
NO_ANSWER_MS = 20_000


class Killer:
    """Kills one operator again and again and starts it anew; counts the kills that may have cost a
    create its answer."""

    def __init__(self, rig, process, seed):
        self.rig = rig
        self.process = process
        self.chance = random.Random(seed)
        self.kills = 0
        self.unanswered = set()  # ids of creates that were in flight at a kill

    def run_until(self, over, timeout):
        """`over` is asked between kills; a failed assertion in it is "not yet"."""
        deadline = time.monotonic() + timeout
        next_kill = time.monotonic() + self._pause()
        while not satisfied(over):
            assert time.monotonic() < deadline, "the rotation does not come to its end"
            if time.monotonic() >= next_kill:
                self.kill()
                next_kill = time.monotonic() + self._pause()
            time.sleep(0.02)

    def _pause(self):
        # Half of them soon after the start, where a create and what follows on it are.
        longest = self.chance.choice((1.0, LONGEST_PAUSE_S))
        return self.chance.random() * longest

    def kill(self):
        self.process.kill()
        self.kills += 1
        self.unanswered |= unanswered(self.rig)
        self.process.start(wait_ready=False)


def satisfied(over):
    try:
        return over()
    except AssertionError:
        return False


def unanswered(rig):
    """The id of Deepgram's last create unless it is in a revision Secret: the process ended with it
    in flight, or before it had kept the answer."""
    kept = {secret["metadata"]["annotations"]["deepgram.com/id"] for secret in rig.secrets()
            if secret["type"] == "deepgram.com/credential"}
    return {create["credential_id"] for create in rig.creates()[-1:]} - kept


def rotate_under_kills(rig, rotations, seed, say=print, timeout=180):
    """Asserts after each rotation what has to hold, and returns the Killer."""
    process = rig.operator()
    rig.key()
    rig.chart()
    killer = Killer(rig, process, seed)
    for number in range(1, rotations + 1):
        started = time.monotonic()
        rotate_once(rig, killer, timeout, into_create=number % AIMED_EVERY == 0)
        rig.check_restarts(number)
        dead = rig.sampler.dead_in(rig.namespace)
        assert not dead, f"{len(dead)} times a pod held a dead key, first: {dead[0]}"
        assert number + 1 <= len(rig.creates()) <= number + 1 + len(killer.unanswered)
        say(f"rotation {number} of {rotations}: {time.monotonic() - started:.0f} s, "
            f"{killer.kills} kills so far ({len(killer.unanswered)} with a create in flight), "
            f"{len(rig.creates())} creates")
    assert killer.kills >= rotations
    assert len(killer.unanswered) >= rotations // AIMED_EVERY
    return killer


def rotate_once(rig, killer, timeout, into_create):
    since = rig.sampler.now
    creates = len(rig.creates())
    if into_create:
        rig.emulator.add_fault("create_key", "lost", delay_ms=NO_ANSWER_MS,
                               project_id=rig.project_id)
    old = rig.rotate()
    if into_create:
        rig.wait_issued(creates + 1)
        killer.kill()

    def over():
        status = rig.status()
        assert status["id"] != old and rig.live() == [status["id"]]
        assert condition(rig.find(KEY, "key"), "ConsumersUpdated")["status"] == "True"
        return rig.workloads.rolled_out()

    killer.run_until(over, timeout)
    rig.sampler.wait_for_next()
    rig.check_order(old, rig.status()["id"])
    rig.check_revoked_after_its_pods(old)
    rig.check_never_fewer(since)
    new = rig.status()["id"]
    assert {pod.app: pod.held for pod in rig.present()} == {app: {new} for app in CHART}
