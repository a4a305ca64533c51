"""kstatus and Argo CD's health check read every state of a resource right, as the API server has it."""

import contextlib

import pytest

from polling import wait_for
from resources import Tenant, condition
from verdicts import argocd, kstatus

KEY, PULL = "DeepgramApiKey", "DeepgramPullSecret"
CREATE = {KEY: "create_key", PULL: "create_credentials"}
SAME_AT_ARGO_CD = {"InProgress": "Progressing", "Current": "Healthy", "Failed": "Degraded",
                   "Terminating": "Progressing"}


@pytest.fixture
def tenant(control_plane, shared_emulator, shared_operator, namespace):
    found = Tenant(control_plane, shared_emulator, namespace)
    found.put_admin_secret()
    yield found
    shared_emulator.clear_faults()
    shared_emulator.settings(latency_ms=0)


@pytest.fixture(params=[KEY, PULL])
def kind(request):
    return request.param


@contextlib.contextmanager
def paused(operator):
    operator.pause()
    try:
        yield
    finally:
        operator.resume()


def verdict(kind, found):
    """That of kstatus; Argo CD has to agree, and to say something."""
    print([(entry["type"], entry["status"], entry["reason"])
           for entry in found["status"]["conditions"]])
    told = kstatus(found)
    status, message = argocd(f"deepgram.com_{kind}", found)
    assert status == SAME_AT_ARGO_CD[told] and message
    return told


def is_ready(found):
    return condition(found, "Ready")["status"] == "True"


def at_work(tenant, kind, creates):
    """The resource while Deepgram has not answered the last of so many creates."""
    wait_for(lambda: len(tenant.creates()) == creates, 5, "a create is under way")
    found = tenant.find(kind, "it")
    assert len(found["status"].get("revisions", [])) == creates - 1
    return found


def test_new(tenant, shared_operator, kind):
    with paused(shared_operator):
        found = tenant.create(kind, "it")
        assert verdict(kind, found) == "InProgress"


def test_in_progress(tenant, kind):
    tenant.emulator.settings(latency_ms=2000)
    tenant.create(kind, "it")
    assert verdict(kind, at_work(tenant, kind, creates=1)) == "InProgress"


def test_in_trouble_that_passes(tenant, kind):
    tenant.emulator.add_fault(CREATE[kind], "status", status=429, count=-1,
                              project_id=tenant.project_id)
    tenant.create(kind, "it")
    tenant.wait_condition(kind, "it", "Reconciling", "True", "Throttled")
    found = tenant.find(kind, "it")
    assert found["status"]["observedGeneration"] == 1
    assert verdict(kind, found) == "InProgress"


def test_ready(tenant, kind):
    tenant.create(kind, "it")
    assert verdict(kind, tenant.wait_ready(kind, "it")) == "Current"


def test_ready_through_a_rotation(tenant, kind):
    tenant.create(kind, "it", rotation={"overlap": "1s"})
    tenant.wait_ready(kind, "it")
    tenant.emulator.settings(latency_ms=300)
    tenant.patch(kind, "it", {"metadata": {"annotations": {"deepgram.com/rotate": "now"}}})
    seen = set()

    def rotated():
        found = tenant.find(kind, "it")
        seen.add(verdict(kind, found))
        states = [entry["state"] for entry in found["status"]["revisions"]]
        return sorted(states) == ["Current", "Revoked"]

    wait_for(rotated, 20, "the old one is revoked", interval=0.05)
    assert seen == {"Current"}


def test_changed_and_not_seen_yet(tenant, shared_operator, kind):
    tenant.create(kind, "it")
    tenant.wait_ready(kind, "it")
    with paused(shared_operator):
        tenant.patch(kind, "it", {"spec": {"comment": "another"}})
        found = tenant.find(kind, "it")
        assert is_ready(found) and verdict(kind, found) == "InProgress"


def test_changed_and_at_work(tenant, kind):
    tenant.create(kind, "it")
    tenant.wait_ready(kind, "it")
    tenant.emulator.settings(latency_ms=2000)
    tenant.patch(kind, "it", {"spec": {"comment": "another"}})
    found = at_work(tenant, kind, creates=2)
    assert is_ready(found) and verdict(kind, found) == "InProgress"


def test_stalled(tenant, kind):
    tenant.put_admin_secret("x" * 40)
    tenant.create(kind, "it")
    tenant.wait_condition(kind, "it", "Stalled", "True", "Unauthorized")
    assert verdict(kind, tenant.find(kind, "it")) == "Failed"


def test_a_change_is_stalled_while_the_credential_works(tenant, kind):
    tenant.create(kind, "it")
    tenant.wait_ready(kind, "it")
    tenant.put_admin_secret("x" * 40)
    tenant.patch(kind, "it", {"spec": {"comment": "another"}})
    tenant.wait_condition(kind, "it", "Stalled", "True", "Unauthorized")
    found = tenant.find(kind, "it")
    assert is_ready(found) and verdict(kind, found) == "Failed"


def test_suspended(tenant, kind):
    tenant.create(kind, "it", suspend=True)
    tenant.wait_condition(kind, "it", "Ready", "False", "Suspended")
    assert verdict(kind, tenant.find(kind, "it")) == "InProgress"


def test_terminating(tenant, kind):
    tenant.create(kind, "it")
    tenant.wait_ready(kind, "it")
    tenant.put_admin_secret("x" * 40)
    tenant.delete(kind, "it")
    tenant.wait_condition(kind, "it", "Ready", "False", "Unauthorized")
    found = tenant.find(kind, "it")
    assert condition(found, "Stalled")["status"] == "True"
    assert verdict(kind, found) == "Terminating"
    tenant.put_admin_secret()
    tenant.wait_gone(kind, "it")
