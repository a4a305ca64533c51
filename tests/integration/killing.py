"""Ends the operator at every request that it sends, in three ways, and looks what became of it.

The kill points are generated: a story is run without a fault by an operator that writes down its
requests (controller/net/failpoint.h), then it is run again for each of them.
"""

import os
import re
import signal
import uuid
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import operator_process
from conftest import delete_namespace
from controlplane import REPOSITORY
from operator_process import OperatorProcess
from polling import wait_for
from resources import Tenant

BINARY = Path(os.environ.get("FAILPOINTS_OPERATOR",
                             REPOSITORY / "build" / "deepgram-operator-failpoints"))
POINTS = ("before", "sent", "answered")
AT_ONCE = 28
FLAGS = ("--settle=2s", "--inventory-interval=5s", "--leader-elect=false")
# What stands in a path behind these is a name.
COLLECTION = re.compile(
    r"/(namespaces|secrets|serviceaccounts|deepgramapikeys|deepgrampullsecrets|projects|keys"
    r"|credentials)/[^/]+")

KillPoint = namedtuple("KillPoint", "number point line")
Run = namedtuple("Run", "tenant lines creates")  # lines: requests of the operator, one list each


def shape(line):
    """`METHOD /path/of/a/{}` of a line `METHOD URL`."""
    method, _, url = line.partition(" ")
    path = re.sub(r"^https?://[^/]+", "", url).partition("?")[0]
    return f"{method} " + COLLECTION.sub(r"/\1/{}", path)


def is_create(line):
    return shape(line).startswith("POST /v1/projects/{}/")


def is_keep(line):
    return shape(line) == "POST /api/v1/namespaces/{}/secrets"


def unanswered_create(lines, failpoint):
    """Whether the process ended, at the failpoint, with a create under way: from its sending until
    the revision Secret that holds its answer was stored. An event is answered beside other requests,
    so that some may have been sent after the one at which it ended."""
    creates = [index for index, line in enumerate(lines) if is_create(line)]
    ended = failpoint.number - 1
    if not creates or (creates[-1] == ended and failpoint.point == "before"):
        return False
    keeps = [index for index in range(creates[-1], len(lines)) if is_keep(lines[index])]
    return not keeps or keeps[0] > ended or (keeps[0] == ended and failpoint.point != "answered")


class Stage:
    """Where stories are run: one control plane and emulator, a namespace and a project for each."""

    def __init__(self, plane, emulator, directory):
        self.plane = plane
        self.emulator = emulator
        self.directory = directory
        account = (operator_process.NAMESPACE, operator_process.SERVICE_ACCOUNT)
        self.kubeconfig = plane.kubeconfig_for(*account)
        self.killed = {}  # shape → the points at which it was killed
        self.seen = set()  # shapes of all requests

    def tenant(self, name):
        namespace = f"{name}-{uuid.uuid4().hex[:8]}"
        self.plane.client.post("/api/v1/namespaces", {"metadata": {"name": namespace}})
        found = Tenant(self.plane, self.emulator, namespace)
        found.put_admin_secret()
        return found

    def operator(self, tenant, failpoint=None):
        """An operator for this namespace alone, and the file with its requests."""
        base = self.directory / f"{tenant.namespace}-{uuid.uuid4().hex[:4]}"
        requests = base.with_suffix(".requests")
        requests.touch()
        env = {"DEEPGRAM_OPERATOR_FAILPOINT_LOG": str(requests)}
        if failpoint:
            env["DEEPGRAM_OPERATOR_FAILPOINT"] = f"{failpoint.number}:{failpoint.point}"
        process = OperatorProcess(
            self.kubeconfig, base.with_suffix(".log"),
            [f"--deepgram-url={self.emulator.url}", f"--registry-url={self.emulator.url}",
             f"--namespaces={tenant.namespace}", *FLAGS],
            env, BINARY)
        return process.start(wait_ready=False), requests

    def run(self, story, failpoint=None):
        """Runs the story, killed at the failpoint if there is one, until it has come to its end."""
        tenant = self.tenant(story.slug)
        try:
            if story.prepare:
                self._prepare(story, tenant)
            before = len(tenant.creates())
            story.act(tenant)
            lines = [self._killed(story, tenant, failpoint)] if failpoint else []
            lines.append(self._finished(story, tenant))
            self.seen.update(shape(line) for part in lines for line in part)
            return Run(tenant, lines, len(tenant.creates()) - before)
        finally:
            delete_namespace(self.plane.client, tenant.namespace)

    def _prepare(self, story, tenant):
        process, _ = self.operator(tenant)
        try:
            story.prepare(tenant)
        finally:
            process.kill()

    def _killed(self, story, tenant, failpoint):
        """The requests up to the kill. Now and then a run needs fewer than the recorded one (no
        conflict, a list less) and comes to its end unharmed."""
        process, requests = self.operator(tenant, failpoint)
        silence = Silence(requests)
        try:
            wait_for(lambda: not process.running() or silence() and story.settled(tenant), 30,
                     f"the operator gets to {failpoint}")
            if not process.running():
                assert process.wait_exit() == -signal.SIGKILL, process.log_tail()
                self._note_kill(requests, failpoint)
        finally:
            process.kill()
        return requests.read_text().splitlines()

    def _note_kill(self, requests, failpoint):
        last = requests.read_text().splitlines()[-1]
        self.killed.setdefault(shape(last), set()).add(failpoint.point)

    def _finished(self, story, tenant):
        process, requests = self.operator(tenant)
        try:
            wait_for(lambda: story.settled(tenant), 30, "everything is settled", interval=0.5)
            wait_for(Silence(requests), 30, "the operator rests")
            story.settled(tenant)
            process.stop()
        except AssertionError as error:
            raise AssertionError(f"{error}\n{evidence(tenant)}\n{process.log_tail()}") from error
        finally:
            process.kill()
        return requests.read_text().splitlines()


class Silence:
    """True once the file has not grown for a second."""

    def __init__(self, path):
        self.path = path
        self.size = -1
        self.rounds = 0

    def __call__(self):
        size = self.path.stat().st_size
        self.rounds = self.rounds + 1 if size == self.size else 0
        self.size = size
        return self.rounds >= 10


def evidence(tenant):
    """What Deepgram and the cluster hold, without values."""
    requests = [f"  {r['operation']} {r['status']} {r['credential_id']} {r['fault'] or ''}"
                for r in tenant.emulator.requests(project_id=tenant.project_id)]
    secrets = [f"  {s['metadata']['name']} {s['metadata'].get('annotations')}"
               for s in tenant.secrets()]
    return "\n".join(["Deepgram's log:", *requests, "Secrets:", *secrets,
                      f"live: {tenant.live()}"])


def kill_points(lines):
    return [KillPoint(number, point, line)
            for number, line in enumerate(lines, 1) for point in POINTS]


def kill_everywhere(stage, stories):
    """Returns for each story how many kill points there were, and what went wrong, as texts."""
    def record(story):
        return problem(lambda: check_creates(story, stage.run(story), extra=0))

    def kill(story, point):
        def run():
            done = stage.run(story, point)
            return check_creates(story, done, unanswered_create(done.lines[0], point))

        _, failure = problem(run)
        return failure and f"killed at {point.number} {point.point} {shape(point.line)}: {failure}"

    outcomes = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        recorded = list(zip(stories, pool.map(record, stories)))
        kills = {story.slug: [pool.submit(kill, story, point)
                              for point in kill_points(run.lines[0] if run else [])]
                 for story, (run, _) in recorded}
        for story, (_, failure) in recorded:
            failures = [failure, *(kill.result() for kill in kills[story.slug])]
            outcomes[story.slug] = (len(kills[story.slug]), [f for f in failures if f])
    return outcomes


def check_creates(story, done, extra):
    assert story.creates <= done.creates <= story.creates + extra, (
        f"{done.creates} creates instead of {story.creates}\n{evidence(done.tenant)}")
    return done


def problem(run):
    """(what it returned, None) or (None, what is wrong)."""
    try:
        return run(), None
    except AssertionError as error:
        return None, str(error)
