"""What resources cost in requests, which is the same on every machine: no times here."""

import collections
import time

import pytest

import operator_process
from polling import wait_for
from resources import ADMIN_SECRET, PLURALS
from test_scale import in_parallel, wait_all_ready

COUNT = 100
WRITES = {"create", "update", "patch", "delete", "deletecollection"}


def requests_since(plane, mark):
    """The operator's own, but for those that don't grow with the resources: watches and the lease."""
    return collections.Counter(
        (event["verb"], event["objectRef"]["resource"], event["objectRef"].get("subresource", ""))
        for event in plane.audit(since=mark, user=operator_process.USER)
        if event["verb"] != "watch" and event["objectRef"]["resource"] != "leases"
    )


def conflicts_since(plane, mark):
    """Writes that lost a race: the object is read once before they are tried again."""
    return [event["objectRef"]["name"] for event in plane.audit(since=mark, user=operator_process.USER)
            if event["responseStatus"]["code"] == 409 and event["objectRef"]["resource"] == "secrets"]


def wait_idle(process, quiet_s=2):
    """Waits until no pass has ended for so long."""
    def passes():
        return process.metrics().value("deepgram_operator_reconciles_total")

    def is_idle():
        before = passes()
        time.sleep(quiet_s)
        return before is not None and passes() == before

    wait_for(is_idle, 30, "the operator has come to rest")


def create_all(tenant):
    wanted = [(tuple(PLURALS)[index % 2], f"it-{index}") for index in range(COUNT)]
    in_parallel(lambda one: tenant.create(*one), wanted)
    wait_all_ready(tenant.plane, COUNT, 60, tenant.namespace)


@pytest.mark.parametrize("before_the_start", [False, True], ids=["one by one", "all at once"])
def test_a_resource_costs_five_requests_and_an_event(
        control_plane, tenant, operator, before_the_start):
    mark = control_plane.audit_mark()
    if before_the_start:
        wanted = [("DeepgramApiKey", f"it-{index}") for index in range(COUNT)]
        in_parallel(lambda one: tenant.create(*one), wanted)
        process = operator()
        wait_all_ready(control_plane, COUNT, 60, tenant.namespace)
    else:
        process = operator()
        create_all(tenant)
    wait_idle(process)
    requests = requests_since(control_plane, mark)
    print(requests)
    patches = [requests["patch", plural, part] for plural in PLURALS.values()
               for part in ("", "status")]
    assert sum(patches) == 2 * COUNT  # the announcement, the report
    assert requests["create", "secrets", ""] == 2 * COUNT
    assert requests["create", "events", ""] == COUNT
    # The admin key is read before each create and each LIST, and its Secret marked once.
    lists = len(tenant.emulator.requests(operation="list_keys", project_id=tenant.project_id)) + len(
        tenant.emulator.requests(operation="list_credentials", project_id=tenant.project_id))
    # Both kinds may find it unmarked at the same time; whoever comes second then looks again.
    conflicts = conflicts_since(control_plane, mark)
    assert set(conflicts) <= {ADMIN_SECRET} and len(conflicts) <= len(PLURALS)
    assert requests["get", "secrets", ""] == COUNT + lists + len(conflicts)
    assert 1 <= requests["patch", "secrets", ""] <= len(PLURALS)
    assert sum(requests.values()) == 6 * COUNT + requests["patch", "secrets", ""] + lists + len(
        conflicts)


def test_deepgram_is_asked_once_for_each_credential(tenant, operator):
    process = operator()
    create_all(tenant)
    wait_idle(process)
    asked = collections.Counter(
        request["operation"] for request in tenant.emulator.requests()
        if request["operation"] != "other")
    print(asked)
    keys = COUNT // 2
    assert asked.pop("create_key") == keys
    assert asked.pop("create_credentials") == keys
    assert asked.pop("auth_token") == keys  # each new key is tried before it is published
    assert asked.pop("list_keys") == 1 and asked.pop("list_credentials") == 1
    assert not asked


def test_a_restart_writes_nothing_and_lists_each_project_once(control_plane, tenant, operator):
    process = operator()
    create_all(tenant)
    wait_idle(process)
    process.stop()
    tenant.emulator.clear_requests()
    mark = control_plane.audit_mark()
    wait_idle(operator())
    requests = requests_since(control_plane, mark)
    print(requests)
    written = {key: number for key, number in requests.items() if key[0] in WRITES}
    assert not written
    assert sum(requests.values()) <= len(PLURALS)  # the admin key, for each LIST
    asked = collections.Counter(request["operation"] for request in tenant.emulator.requests())
    assert asked == {"list_keys": 1, "list_credentials": 1}


def revoked(tenant):
    return [key for key in tenant.emulator.state(project_id=tenant.project_id)["keys"]
            if not key["admin"] and not key["alive"]]


def test_a_rotation_costs_twelve_requests_and_three_events(control_plane, tenant, operator):
    process = operator()
    names = [f"it-{index}" for index in range(COUNT)]
    in_parallel(lambda name: tenant.api_key(name, rotation={"overlap": "1s"}), names)
    wait_all_ready(control_plane, COUNT, 60, tenant.namespace)
    wait_idle(process)
    mark = control_plane.audit_mark()
    rotate = {"metadata": {"annotations": {"deepgram.com/rotate": "now"}}}
    in_parallel(lambda name: tenant.patch("DeepgramApiKey", name, rotate), names)
    wait_for(lambda: len(revoked(tenant)) == COUNT, 120, "the old keys are revoked")
    wait_idle(process)
    requests = requests_since(control_plane, mark)
    print(requests)
    assert len(tenant.creates()) == 2 * COUNT and len(tenant.live()) == COUNT
    written = sum(number for (verb, resource, _), number in requests.items()
                  if verb in WRITES and resource != "events")
    # The announcement, the new revision, the target, the report that the new one is current and the
    # one that the old one is gone, and the old revision.
    assert written == 6 * COUNT
    assert requests["create", "events", ""] == 3 * COUNT  # rotating, issued, revoked
    # Read: the admin key twice, the target as it was; before the revocation the revision that took
    # over, with whose key Deepgram is asked whether it lives, the resource, and that revision again.
    assert sum(requests.values()) - requests["create", "events", ""] <= 12 * COUNT + 2


def test_a_deletion_costs_five_requests_and_an_event(control_plane, tenant, operator):
    process = operator()
    names = [f"it-{index}" for index in range(COUNT)]
    in_parallel(tenant.api_key, names)
    wait_all_ready(control_plane, COUNT, 60, tenant.namespace)
    wait_idle(process)
    mark = control_plane.audit_mark()
    in_parallel(lambda name: tenant.delete("DeepgramApiKey", name), names)
    wait_for(lambda: tenant.live() == [], 120, "the keys are revoked")
    wait_idle(process)
    requests = requests_since(control_plane, mark)
    print(requests)
    assert requests["delete", "secrets", ""] == 2 * COUNT  # the target, the revision
    assert requests["patch", PLURALS["DeepgramApiKey"], ""] == COUNT  # the finalizer
    assert requests["create", "events", ""] == COUNT
    # Once for all: the admin Secret's mark, and who else might need it.
    assert sum(requests.values()) <= 6 * COUNT + 6
