"""The way to the API server fails in every way it can: the operator catches up without a restart
and without a second create."""

import threading
import time

import pytest

from checks import balanced
from polling import wait_for
from resources import condition

KIND = "DeepgramApiKey"
CATCH_UP_S = 30
# An outage longer than this ends a leader, as it must: what follows it is test_leader's matter.
LONG_LEASE = ("--lease-duration=90s", "--lease-renew=80s")
WATCHDOG_S = 5


def create_many(tenant, count, prefix="key"):
    names = [f"{prefix}-{index}" for index in range(count)]
    for name in names:
        tenant.api_key(name)
    return names


def caught_up(tenant, names, timeout=CATCH_UP_S):
    """All are Ready, after one create each, and nothing else is alive."""
    deadline = time.monotonic() + timeout
    for name in names:
        tenant.wait_ready(KIND, name, max(0, deadline - time.monotonic()))
    assert len(tenant.creates()) == len(names)
    assert balanced(tenant)


def creates_under_way(tenant, count):
    """Waits until so many creates have reached Deepgram, which is slow to answer them."""
    wait_for(lambda: len(tenant.creates()) >= count, 10, f"{count} creates are under way",
             interval=0.02)


# ---- the API server ----


def test_an_api_server_killed_while_resources_are_issued(control_plane, tenant, operator):
    operator(*LONG_LEASE)
    tenant.emulator.settings(latency_ms=500)
    names = create_many(tenant, 12)
    creates_under_way(tenant, 4)
    control_plane.restart_apiserver(kill=True)
    caught_up(tenant, names)


def test_an_api_server_that_is_away_for_ten_seconds(control_plane, tenant, operator):
    process = operator(*LONG_LEASE)
    before = create_many(tenant, 2, "before")
    caught_up(tenant, before)
    control_plane.stop_apiserver()
    time.sleep(10)
    assert process.cpu_seconds() < 1, "it waits, it doesn't spin"
    control_plane.start_apiserver()
    caught_up(tenant, before + create_many(tenant, 3, "after"))


def test_a_history_that_is_forgotten(control_plane, tenant, operator, proxy):
    """410 Gone, inside an answer with status 200: the operator lists again."""
    process = operator(*LONG_LEASE, server=proxy.url)
    proxy.refuse()
    names = create_many(tenant, 3)
    control_plane.compact_etcd()
    control_plane.restart_apiserver()
    proxy.accept()
    caught_up(tenant, names)
    assert process.metrics().value(
        "deepgram_operator_watch_relists_total", resource="deepgramapikeys") >= 1


# ---- connections that stand still ----


def test_connections_that_die_silently(tenant, operator, proxy):
    """Nobody ever closes them: only the watchdog helps. What is idle in the pool died as well."""
    process = operator(*LONG_LEASE, f"--watch-timeout={WATCHDOG_S}s", server=proxy.url)
    before = create_many(tenant, 8, "before")
    caught_up(tenant, before)
    proxy.freeze_open()
    frozen = time.monotonic()
    names = before + create_many(tenant, 3)
    caught_up(tenant, names, timeout=WATCHDOG_S + 4)
    print(f"caught up {time.monotonic() - frozen:.1f} s after the freeze")
    silence = process.metrics().value(
        "deepgram_operator_watch_silence_seconds", resource="deepgramapikeys")
    assert silence < 2 * WATCHDOG_S


@pytest.mark.parametrize("end", ["resume", "cut"])
def test_a_network_that_stands_still_while_resources_are_issued(tenant, operator, proxy, end):
    """What was held back arrives late, or never: then each write met its own effect or none."""
    operator(*LONG_LEASE, f"--watch-timeout={WATCHDOG_S}s", server=proxy.url)
    tenant.emulator.settings(latency_ms=300)
    names = create_many(tenant, 12)
    creates_under_way(tenant, 3)
    proxy.freeze()
    time.sleep(WATCHDOG_S + 2)
    getattr(proxy, end)()
    proxy.resume()
    caught_up(tenant, names)


def test_connections_that_die_silently_while_resources_are_issued(tenant, operator, proxy):
    """A request on such a connection is given up after half a minute, and repeated."""
    operator(*LONG_LEASE, f"--watch-timeout={WATCHDOG_S}s", server=proxy.url)
    tenant.emulator.settings(latency_ms=300)
    names = create_many(tenant, 12)
    creates_under_way(tenant, 3)
    proxy.freeze_open()
    caught_up(tenant, names, timeout=50)


# ---- connections that break ----


@pytest.mark.parametrize("byte_count", [1, 300, 900, 1800, 4000])
def test_answers_cut_after(tenant, operator, proxy, byte_count):
    """The watch ends in the middle of an object, a write without its answer."""
    operator(*LONG_LEASE, server=proxy.url)
    proxy.cut_after(byte_count, connections=4)
    names = create_many(tenant, 4)
    wait_for(lambda: proxy.cuts_left == 0, 10, "the connections were cut")
    caught_up(tenant, names)


def test_connections_that_break_all_the_time(tenant, operator, proxy):
    operator(*LONG_LEASE, server=proxy.url)
    tenant.emulator.settings(latency_ms=50)
    done = threading.Event()

    def break_connections():
        while not done.wait(0.15):
            proxy.cut()

    breaking = threading.Thread(target=break_connections)
    breaking.start()
    try:
        names = create_many(tenant, 20)
        time.sleep(5)
    finally:
        done.set()
        breaking.join()
    caught_up(tenant, names, timeout=60)


# ---- readiness ----


def test_it_is_not_ready_until_its_caches_are_synced(tenant, operator, proxy):
    proxy.freeze()
    process = operator(*LONG_LEASE, server=proxy.url, wait_ready=False)
    wait_for(lambda: process.get("/healthz").status_code == 200, 20, "it is alive")
    answer = process.get("/readyz")
    assert answer.status_code == 503 and "deepgramapikeys" in answer.text
    create_many(tenant, 1)
    time.sleep(1)
    assert process.get("/readyz").status_code == 503
    ready = condition(tenant.find(KIND, "key-0"), "Ready")
    assert ready["status"] == "Unknown" and tenant.creates() == []
    proxy.resume()
    process.wait_ready()
    caught_up(tenant, ["key-0"])
