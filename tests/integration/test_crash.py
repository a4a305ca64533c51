"""Nothing leaks and nothing is lost, whatever ends the operator, the API server or an answer.

Judged from the emulator's log and state and from the API server's audit log, never from what the
operator says about itself.
"""

import base64
import contextlib
import os
import random
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

import operator_process
from conftest import delete_namespace, operators
from crowd import CREATES, DELETES, KEY, PULL, Arrivals, Crowd, kill_again_and_again
from emulator import Emulator
from killing import FLAGS, POINTS, KillPoint, Stage, kill_everywhere, shape
from polling import wait_for
from proxy import TcpProxy
from resources import Tenant, condition
from stories import STORIES, exactly_one

SEED = int(os.environ.get("CRASH_SEED", random.randrange(1 << 32)))
LEASE = ("--lease-duration=4s", "--lease-renew=3s", "--lease-retry=1s")
CREATE = {KEY: "create_key", PULL: "create_credentials"}


def lose_answers(tenant, operations):
    for operation in operations:
        tenant.emulator.add_fault(operation, "lost", probability=0.3, count=-1)


# ---- killed at each request ----


@pytest.fixture(scope="module")
def stage(control_plane, shared_emulator, tmp_path_factory):
    return Stage(control_plane, shared_emulator, tmp_path_factory.mktemp("crash"))


@pytest.fixture(scope="module")
def outcomes(stage, request):
    """Of the stories that were asked for, all run at once: most of their time is waiting."""
    slugs = [item.callspec.id for item in request.session.items if hasattr(item, "callspec")]
    return kill_everywhere(stage, [story for story in STORIES if story.slug in slugs])


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.slug)
def test_killed_at_every_request(outcomes, story, say):
    count, failures = outcomes[story.slug]
    say(f"{story.slug}: {count} kill points")
    assert count > 0 and not failures, "\n\n".join(failures)


def test_no_request_is_without_a_kill_point(stage, outcomes):
    """Also of those that only a recovery sends."""
    missed = {seen for seen in stage.seen if stage.killed.get(seen, set()) != set(POINTS)}
    assert stage.seen and not missed


# ---- a crowd ----


def test_five_hundred_survive_kills_and_lost_answers(control_plane, tenant, operator):
    """Issued and deleted under fire; in between a restart changes nothing but what was damaged."""
    crowd = Crowd(tenant, 500)
    crowd.create()
    lose_answers(tenant, CREATES)
    creates = Arrivals(tenant, CREATES)
    process = operator(*FLAGS, wait_ready=False)
    kill_again_and_again(process, creates, 10, 600, SEED)
    wait_for(crowd.exact, 90, "all are Ready and exact", interval=1)
    lost = sum(fault["fired"] for fault in tenant.emulator.faults())
    assert lost > 50
    tenant.emulator.clear_faults()
    print(f"{len(tenant.creates())} creates, {lost} lost answers")

    restart_without_a_write(control_plane, tenant, process)
    assert crowd.exact()

    lose_answers(tenant, DELETES)
    deletes = Arrivals(tenant, DELETES)
    crowd.delete()
    kill_again_and_again(process, deletes, 10, 450, SEED)
    wait_for(crowd.gone, 90, "nothing is left", interval=1)
    assert sum(fault["fired"] for fault in tenant.emulator.faults()) > 50


def restart_without_a_write(control_plane, tenant, process):
    process.stop()
    value = tenant.data("it-0")
    wrong = base64.b64encode(b"wrong").decode()
    tenant.client.patch(tenant.secret_path("it-0"), {"data": {"DEEPGRAM_API_KEY": wrong}})
    mark = control_plane.audit_mark()
    changes = Arrivals(tenant, (*CREATES, *DELETES))
    lists = Arrivals(tenant, ("list_keys", "list_credentials"))
    process.start()
    wait_for(lambda: tenant.data("it-0") == value, 10, "the edited target is healed")
    wait_for(lambda: lists.update() >= 2, 10, "it has looked at Deepgram")
    time.sleep(2)
    assert changes.update() == 0
    writes = [event for event in control_plane.audit(mark, operator_process.USER)
              if event["verb"] not in ("get", "list", "watch")]
    healed = [(event["objectRef"]["resource"], event["objectRef"]["name"]) for event in writes]
    # The Secret, and in the status the version of it that was seen.
    assert healed == [("secrets", "it-0"), ("deepgramapikeys", "it-0")], healed


# ---- late commits ----


@pytest.mark.parametrize("killed", [False, True], ids=["", "and the operator is killed meanwhile"])
@pytest.mark.parametrize("kind", [KEY, PULL])
def test_a_create_that_is_carried_out_late_leaves_one_credential(tenant, operator, kind, killed):
    process = operator(*FLAGS)
    tenant.emulator.add_fault(CREATE[kind], "late", delay_ms=1500)
    tenant.create(kind, "it")
    wait_for(tenant.creates, 10, "the create arrives", interval=0.01)
    if killed:
        process.kill()
        process.start()

    def both_carried_out():
        state = tenant.emulator.state(project_id=tenant.project_id)
        made = [key for key in state["keys"] if not key["admin"]]
        return len(made) + len(state["distribution_credentials"]) == 2

    wait_for(both_carried_out, 10, "the late one is carried out too")
    wait_for(lambda: exactly_one(tenant, kind), 10, "one is left")
    # the kill may strike the second create as well
    assert len(tenant.creates()) in ((2, 3) if killed else (2,))


# ---- a late publication ----


def rotate(tenant):
    tenant.patch(KEY, "it", {"metadata": {"annotations": {"deepgram.com/rotate": "now"}}})


def published(tenant):
    status = tenant.find(KEY, "it")["status"]
    return datetime.fromisoformat(status["publishedAt"]) if status["revision"] == 2 else None


def test_a_publication_that_is_carried_out_late_counts_from_then(stage):
    """The pods that were made meanwhile hold the key before."""
    with rotating(stage) as (tenant, _, requests):
        wait_for(lambda: published(tenant), 20, "it is rotated")
        lines = [shape(line) for line in requests.read_text().splitlines()]
    publication = lines.index("PUT /api/v1/namespaces/{}/secrets/{}") + 1
    with rotating(stage, KillPoint(publication, "stop", "")) as (tenant, process, _):
        wait_for(lambda: process.stands_still(), 20, "it stands still")
        time.sleep(7)
        continued = datetime.now(UTC).replace(microsecond=0)
        process.resume()
        assert wait_for(lambda: published(tenant), 20, "it is rotated") >= continued
        annotations = tenant.secret("it")["metadata"]["annotations"]
        said = datetime.fromisoformat(annotations["deepgram.com/published-at"])
        assert said < continued - timedelta(seconds=5), "it was dated before it stood still"


@contextlib.contextmanager
def rotating(stage, failpoint=None):
    """A key that is being rotated by an operator with this failpoint, and that one's requests."""
    tenant = stage.tenant("late")
    first, _ = stage.operator(tenant)
    try:
        tenant.create(KEY, "it")
        tenant.wait_ready(KEY, "it")
    finally:
        first.kill()
    rotate(tenant)
    process, requests = stage.operator(tenant, failpoint)
    try:
        yield tenant, process, requests
        process.stop()
    finally:
        process.kill()
        delete_namespace(tenant.client, tenant.namespace)


# ---- the API server and etcd ----


@pytest.mark.parametrize("killed", ["API server", "etcd"])
def test_the_control_plane_is_killed_while_issuing(control_plane, tenant, operator, killed):
    crowd = Crowd(tenant, 100)
    crowd.create()
    tenant.emulator.settings(latency_ms=50)
    creates = Arrivals(tenant, CREATES)
    operator(*FLAGS)
    wait_for(lambda: creates.update() >= 20, 20, "it issues", interval=0.01)
    if killed == "etcd":
        control_plane.restart_etcd(kill=True)
    else:
        control_plane.restart_apiserver(kill=True)
    wait_for(crowd.exact, 60, "all are Ready and exact", interval=1)
    assert len(tenant.creates()) == 100


# ---- two leaders ----


def test_a_leader_that_stood_still_past_its_lease_mints_nothing_more(tenant, operator):
    crowd = Crowd(tenant, 150)
    tenant.emulator.settings(latency_ms=100)
    crowd.create()
    creates = Arrivals(tenant, CREATES)
    first = operator("--settle=2s", "--inventory-interval=5s", *LEASE)
    second = operator("--settle=2s", "--inventory-interval=5s", *LEASE, wait_ready=False)
    wait_for(lambda: creates.update() >= 20, 20, "the first one issues", interval=0.01)
    first.pause_where_it_waits()
    # From now on another admin key is read: the emulator's log tells who sent what.
    other = tenant.emulator.add_project(tenant.project_id, [{"role": "owner"}])["admin_keys"][0]
    tenant.put_admin_secret(other["key"])

    def asked_with(key_id, since=0):
        return [r for r in tenant.emulator.requests(since=since, project_id=tenant.project_id)
                if r["auth_key_id"] == key_id]

    wait_for(lambda: asked_with(other["api_key_id"]), 20, "the second one works")
    last = tenant.emulator.requests()[-1]["seq"]
    first.resume()
    assert first.wait_exit() not in (0, -9)
    wait_for(crowd.exact, 60, "all are Ready and exact", interval=1)
    assert asked_with(tenant.admin_key_id, since=last) == []
    second.check_running()


@pytest.fixture
def tls_emulator(control_plane):
    certificate, key = control_plane.pki.server
    with Emulator.start(f"--tls-cert={certificate}", f"--tls-key={key}",
                        ca_file=control_plane.pki.ca) as running:
        yield running


def test_a_leader_that_stood_still_while_it_connected_does_not_mint_when_it_goes_on(
        control_plane, tls_emulator, namespace, tmp_path):
    """The handshake's last message has arrived when it goes on: the request would be next."""
    tenant = Tenant(control_plane, tls_emulator, namespace)
    tenant.put_admin_secret()
    flags = ("--settle=2s", "--inventory-interval=1h", *LEASE,
             f"--ca-file={control_plane.pki.ca}")
    port = int(tls_emulator.url.rpartition(":")[2])
    with TcpProxy(port) as proxy, operators(control_plane, tls_emulator, tmp_path) as operator:
        proxy.freeze()
        first = operator(*flags, f"--deepgram-url={proxy.url}")
        tenant.api_key("it")
        wait_for(lambda: proxy.accepted, 10, "it connects to Deepgram", interval=0.01)
        time.sleep(0.1)
        first.pause()
        proxy.resume()
        operator(*flags)
        tenant.wait_ready(KEY, "it")
        first.resume()
        assert first.wait_exit() not in (0, -9)
        wait_for(lambda: exactly_one(tenant, KEY), 10, "everything is settled")
        assert len(tenant.creates()) == 1


# ---- two writers ----


def overwrite(tenant, name, stop):
    """Somebody else who wants another value in the target, as soon as it changes."""
    mine = base64.b64encode(b"mine").decode()
    while not stop.is_set():
        data = tenant.client.get(tenant.secret_path(name))["data"]
        if data["DEEPGRAM_API_KEY"] != mine:
            tenant.client.patch(tenant.secret_path(name), {"data": {"DEEPGRAM_API_KEY": mine}})
        time.sleep(0.005)


def overwrite_status(tenant, name, stop):
    path = tenant.path(KEY, name, "status")
    while not stop.is_set():
        if tenant.client.get(path)["status"]["observedGeneration"] != 999:
            tenant.client.patch(path, {"status": {"observedGeneration": 999}})
        time.sleep(0.005)


@contextlib.contextmanager
def beside(writer, tenant, name):
    stop = threading.Event()
    thread = threading.Thread(target=writer, args=(tenant, name, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_a_second_writer_of_the_target_is_told_after_a_few_rounds(control_plane, tenant, operator):
    operator(*FLAGS)
    tenant.api_key("it")
    tenant.wait_ready(KEY, "it")
    mark = control_plane.audit_mark()
    with beside(overwrite, tenant, "it"):
        told = tenant.wait_condition(KEY, "it", "Stalled", "True", "SecretConflict", timeout=10)
        for words in ("Secret it", "--show-managed-fields", "choose another spec.secret.name"):
            assert words in told["message"]
        assert condition(tenant.find(KEY, "it"), "Ready")["status"] == "False"
        time.sleep(3)
    rounds = [event for event in control_plane.audit(mark, operator_process.USER)
              if event["verb"] == "update" and event["objectRef"]["name"] == "it"]
    assert 2 <= len(rounds) <= 5
    wait_for(lambda: exactly_one(tenant, KEY), 40, "it is healed once the other has stopped")
    assert len(tenant.creates()) == 1


def test_a_second_writer_of_status_gets_an_answer_now_and_then(control_plane, tenant, operator):
    operator(*FLAGS)
    tenant.api_key("it")
    tenant.wait_ready(KEY, "it")
    mark = control_plane.audit_mark()
    with beside(overwrite_status, tenant, "it"):
        time.sleep(4)
    wait_for(lambda: tenant.find(KEY, "it")["status"]["observedGeneration"] == 1, 5,
             "the operator has the last word")
    writes = [event for event in control_plane.audit(mark, operator_process.USER)
              if event["objectRef"].get("subresource") == "status"]
    assert 5 <= len(writes) <= 15
    assert exactly_one(tenant, KEY)
    assert len(tenant.creates()) == 1
