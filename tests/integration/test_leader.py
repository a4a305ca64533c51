"""One operator works at a time: who takes over when, and that an end or a restart costs nothing."""

import time

import pytest

from checks import balanced, settled
from operator_process import USER
from polling import wait_for

KIND = "DeepgramApiKey"
LEASE_S = 4
# Three tries fit into the time for a renewal.
SHORT_LEASE = (f"--lease-duration={LEASE_S}s", "--lease-renew=3s", "--lease-retry=1s")
TAKE_OVER_S = 2


@pytest.fixture
def pair(operator):
    """(leader, the other one), both ready."""
    leader = operator("--settle=2s", *SHORT_LEASE)
    wait_leading(leader, 5)
    other = operator("--settle=2s", *SHORT_LEASE)
    return leader, other


def leads(process):
    return process.metrics().value("deepgram_operator_leader") == 1


def wait_leading(process, timeout):
    """Returns after how many seconds it leads."""
    started = time.monotonic()
    wait_for(lambda: leads(process), timeout, "it leads", interval=0.02)
    return time.monotonic() - started


def create_many(tenant, count, prefix="key"):
    names = [f"{prefix}-{index}" for index in range(count)]
    for name in names:
        tenant.api_key(name)
    return names


def wait_all_ready(tenant, names):
    for name in names:
        tenant.wait_ready(KIND, name)


def creates_under_way(tenant, count):
    wait_for(lambda: len(tenant.creates()) >= count, 10, f"{count} creates are under way",
             interval=0.02)


def deepgram_requests(process):
    return process.metrics().value("deepgram_operator_deepgram_requests_total")


# ---- two of them ----


def test_only_the_leader_works_and_both_are_ready(tenant, pair):
    leader, other = pair
    wait_all_ready(tenant, create_many(tenant, 5))
    assert leads(leader) and not leads(other)
    assert other.get("/readyz").status_code == 200
    assert deepgram_requests(leader) > 0 and not deepgram_requests(other)
    assert len(tenant.creates()) == 5


def test_a_leader_that_is_asked_to_stop_hands_over(tenant, pair):
    leader, other = pair
    wait_all_ready(tenant, create_many(tenant, 2, "before"))
    leader.stop()
    print(f"took over after {wait_leading(other, TAKE_OVER_S):.2f} s")
    wait_all_ready(tenant, create_many(tenant, 2, "after"))
    assert len(tenant.creates()) == 4 and balanced(tenant)


def test_a_leader_that_is_killed_is_replaced(tenant, pair):
    leader, other = pair
    tenant.emulator.settings(latency_ms=1000)
    names = create_many(tenant, 5)
    creates_under_way(tenant, 5)
    leader.kill()
    print(f"took over after {wait_leading(other, LEASE_S + TAKE_OVER_S):.2f} s")
    tenant.emulator.settings(latency_ms=0)
    wait_all_ready(tenant, names)
    # Nobody had the answers to the first five: their keys are found by their marker and revoked.
    assert len(tenant.creates()) == 10
    assert settled(tenant)


def test_a_leader_that_was_paused_mints_nothing_more(tenant, pair):
    leader, other = pair
    tenant.emulator.settings(latency_ms=1000)
    names = create_many(tenant, 40)  # more than --max-in-flight: it has work left when it wakes
    creates_under_way(tenant, 10)
    leader.pause()
    wait_leading(other, LEASE_S + TAKE_OVER_S)
    tenant.emulator.settings(latency_ms=0)
    wait_all_ready(tenant, names)
    before = len(tenant.creates())
    leader.resume()
    assert leader.wait_exit(5) == 1
    assert len(tenant.creates()) == before
    assert settled(tenant)


def test_a_leader_that_was_paused_for_less_than_its_lease_goes_on(tenant, pair):
    leader, other = pair
    leader.pause()
    time.sleep(1.5)
    leader.resume()
    names = create_many(tenant, 2)
    wait_all_ready(tenant, names)
    assert leads(leader) and not leads(other)


# ---- the end and the restart ----


def test_creates_under_way_are_finished_before_the_end(tenant, operator):
    process = operator()
    tenant.emulator.settings(latency_ms=1000)
    names = create_many(tenant, 10)
    creates_under_way(tenant, 8)
    asked = time.monotonic()
    process.stop(grace_s=10)
    print(f"ended after {time.monotonic() - asked:.2f} s")
    assert sorted(tenant.live()) == sorted(kept_ids(tenant))
    creates = len(tenant.creates())
    tenant.emulator.settings(latency_ms=0)
    process.start()
    wait_all_ready(tenant, names)
    assert creates >= 8 and len(tenant.creates()) == 10
    assert balanced(tenant)


def kept_ids(tenant):
    return [
        secret["metadata"]["annotations"]["deepgram.com/id"] for secret in tenant.secrets()
        if secret["type"] == "deepgram.com/credential"
    ]


def test_a_restart_over_ready_resources_changes_nothing(control_plane, tenant, operator):
    process = operator()
    for index in range(5):
        tenant.api_key(f"key-{index}")
        tenant.pull_secret(f"pull-{index}")
    for index in range(5):
        tenant.wait_ready(KIND, f"key-{index}")
        tenant.wait_ready("DeepgramPullSecret", f"pull-{index}")
    process.stop()
    tenant.emulator.clear_requests()
    mark = control_plane.audit_mark()
    process.start()
    # It looks at each resource and lists each project once.
    wait_for(lambda: operations(tenant) == {"list_keys", "list_credentials"}, 10, "it has listed")
    time.sleep(2)
    process.stop()
    assert operations(tenant) == {"list_keys", "list_credentials"}
    writes = [
        (event["verb"], event["objectRef"]["resource"], event["objectRef"].get("name"))
        for event in control_plane.audit(since=mark, user=USER)
        if event["verb"] not in ("get", "list", "watch")
        and event["objectRef"]["resource"] != "leases"
    ]
    assert writes == []
    assert balanced(tenant)


def operations(tenant):
    return {request["operation"] for request in tenant.emulator.requests()}
