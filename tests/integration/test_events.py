"""Events: every change of state is told once, however often it is tried again, and says what to do."""

import time

import pytest

from polling import wait_for
from resources import Tenant

KEY, PULL = "DeepgramApiKey", "DeepgramPullSecret"
RETRY_S = 30  # before it is over, a refused key has been tried a second time


@pytest.fixture
def tenant(control_plane, shared_emulator, shared_operator, namespace):
    yield Tenant(control_plane, shared_emulator, namespace)
    shared_emulator.clear_faults()


def events(tenant):
    """(type, reason, note) in the order in which they were made."""
    found = [event for event in tenant.all_events()
             if event["reportingController"] == "deepgram.com/operator"]
    return [(event["type"], event["reason"], event["note"])
            for event in sorted(found, key=lambda event: event["eventTime"])]


def wait_told(tenant, *reasons, timeout=20):
    """Exactly these, in this order, and the words of the last one."""
    def told():
        seen = [f"{type} {reason}" for type, reason, _ in events(tenant)]
        assert seen == list(reasons), seen
        return True

    wait_for(told, timeout, "these events")
    return events(tenant)[-1][2]


def test_a_refused_key_is_told_once_and_its_end_too(tenant):
    tenant.put_admin_secret("x" * 40)
    tenant.api_key()
    note = wait_told(tenant, "Warning Unauthorized")
    assert "put a valid key with keys:write into its Secret" in note
    wait_for(lambda: len(tenant.creates()) >= 2, RETRY_S, "it is tried again")
    time.sleep(0.5)
    wait_told(tenant, "Warning Unauthorized")
    tenant.put_admin_secret()
    note = wait_told(tenant, "Warning Unauthorized", "Normal Issued")
    assert "as revision 1" in note and "Secret api-key" in note


def test_a_trouble_that_passes_without_a_new_credential_is_told_to_be_over(tenant):
    tenant.put_admin_secret()
    tenant.api_key()
    tenant.wait_ready(KEY, "api-key")
    tenant.put_admin_secret("x" * 40)
    tenant.patch(KEY, "api-key", {"spec": {"comment": "another"}})
    wait_told(tenant, "Normal Issued", "Normal Rotating", "Warning Unauthorized")
    tenant.patch(KEY, "api-key", {"spec": {"comment": None}})
    note = wait_told(tenant, "Normal Issued", "Normal Rotating", "Warning Unauthorized",
                     "Normal Recovered")
    assert "Unauthorized" in note


def test_a_rotation_is_told_by_what_was_issued_and_what_was_revoked(tenant):
    tenant.put_admin_secret()
    tenant.pull_secret(rotation={"overlap": "1s"})
    tenant.wait_ready(PULL, "regcred")
    tenant.patch(PULL, "regcred", {"metadata": {"annotations": {"deepgram.com/rotate": "now"}}})
    note = wait_told(tenant, "Normal Issued", "Normal Rotating", "Normal Issued", "Normal Revoked")
    assert note.endswith("at Deepgram (Retired)")


def test_a_deletion_that_waits_for_pods_says_for_which(tenant):
    tenant.put_admin_secret()
    tenant.api_key()
    tenant.wait_ready(KEY, "api-key")
    pods = f"/api/v1/namespaces/{tenant.namespace}/pods"
    tenant.client.post(pods, {"metadata": {"name": "engine"}, "spec": {"containers": [
        {"name": "it", "image": "it", "envFrom": [{"secretRef": {"name": "api-key"}}]}]}})
    time.sleep(0.5)
    tenant.delete(KEY, "api-key")
    note = wait_told(tenant, "Normal Issued", "Normal InUse")
    assert "engine" in note
    tenant.client.delete(f"{pods}/engine", {"gracePeriodSeconds": 0})
    note = wait_told(tenant, "Normal Issued", "Normal InUse", "Normal Revoked")
    assert note.endswith("at Deepgram (Deleted)")


def test_suspending_and_going_on_are_told(tenant):
    tenant.put_admin_secret()
    tenant.api_key()
    tenant.wait_ready(KEY, "api-key")
    tenant.patch(KEY, "api-key", {"spec": {"suspend": True}})
    note = wait_told(tenant, "Normal Issued", "Normal Suspended")
    assert "until it is false" in note
    tenant.patch(KEY, "api-key", {"spec": {"suspend": False}})
    wait_told(tenant, "Normal Issued", "Normal Suspended", "Normal Recovered")


def test_a_conflict_is_told_to_who_comes_second(tenant):
    tenant.put_admin_secret()
    tenant.client.post(tenant.secret_path(), {"metadata": {"name": "api-key"}})
    tenant.api_key()
    note = wait_told(tenant, "Warning SecretConflict")
    assert "deepgram.com/adopt=true" in note
    tenant.client.delete(tenant.secret_path("api-key"))
    wait_told(tenant, "Warning SecretConflict", "Normal Issued")


def test_what_describe_shows_reads_well(control_plane, tenant):
    """A sentence that begins like one, in the condition and in the event, and no second time."""
    for fault, more in (("cut", {}), ("redirect", {"location": "http://127.0.0.1:1/"}),
                        ("status", {"status": 429}), ("big", {})):
        tenant.emulator.add_fault("create_key", fault, project_id=tenant.project_id, **more)
    tenant.put_admin_secret()
    tenant.api_key()
    tenant.wait_ready(KEY, "api-key", timeout=60)
    told = [note for type, _, note in events(tenant) if type == "Warning"]
    described = control_plane.kubectl("-n", tenant.namespace, "describe", "dgkey").stdout
    # What came of a lost answer is looked for at once: only where that has to wait is there something
    # to tell.
    lost = [note for note in told if "may have been created all the same" in note]
    assert len(told) - len(lost) == 2  # the redirect, 429
    assert len(told) == len(set(told)) and not [note for note in told if note not in described]
    assert not [note for note in told if not note[0].isupper() or len(note) < 60]
