"""The stages in the life of N resources, each with its cost."""

import os
import time

from rig import KEYS, READY, ROTATED, Watch, operator_process

IDLE_S = int(os.environ.get("BENCH_IDLE_S", "60"))
REST_S = 2  # in which events and second looks come to an end
WRITES = ("create", "update", "patch", "delete")


def timeout(count):
    return 120 + count / 5  # of a busy machine, or under a profiler


def total(requests, *verbs):
    return sum(number for name, number in requests.items() if name.split()[0] in verbs)


def count_events(requests):
    return sum(number for name, number in requests.items() if name.endswith(" events"))


class Cost:
    """What processes have used, and what was asked of whom, since its making."""

    def __init__(self, rig, deepgram, process, user=operator_process.USER):
        self._rig, self._deepgram, self._process, self._user = rig, deepgram, process, user
        self._mark = rig.plane.audit_mark()
        deepgram.emulator.clear_requests()
        self._cpu = process.cpu_seconds()
        self._api_server_cpu = rig.api_server_cpu()

    def so_far(self, count=None):
        result = {
            "cpu_s": self._process.cpu_seconds() - self._cpu,
            "api_server_cpu_s": self._rig.api_server_cpu() - self._api_server_cpu,
            "rss_mib": self._process.rss_kib() / 1024,
            "peak_mib": self._process.peak_kib() / 1024,
            "requests": self._rig.requests(self._mark, self._user),
            "deepgram": {},
        }
        for request in self._deepgram.emulator.requests():
            operation = request["operation"]
            result["deepgram"][operation] = result["deepgram"].get(operation, 0) + 1
        if count:
            requests = result["requests"]
            events = count_events(requests)
            result["requests_each"] = (total(requests, *WRITES, "get") - events) / count
            result["events_each"] = events / count
            result["deepgram_each"] = sum(result["deepgram"].values()) / count
        return result


def wait_quiet(read, quiet_s=REST_S, timeout_s=600):
    """Until what read() tells hasn't changed for so long."""
    end, before, since = time.monotonic() + timeout_s, read(), time.monotonic()
    while time.monotonic() - since < quiet_s:
        assert time.monotonic() < end, "the controller doesn't come to rest"
        time.sleep(0.2)
        now = read()
        if now != before:
            before, since = now, time.monotonic()


def passes(process):
    return process.metrics().value("deepgram_operator_reconciles_total") or 0


def wait_rest(process):
    wait_quiet(lambda: passes(process))


def bare(rig, deepgram, count):
    before = rig.api_server_cpu()
    with Watch(rig.plane, KEYS, READY) as watch:
        said = rig.write("work", deepgram, count)
        ready = watch.wait(watch.matched, count, timeout(count))
    time.sleep(REST_S)
    return {
        "all_ready_s": ready - said["started"],
        "cpu_s": said["cpu_seconds"],
        "api_server_cpu_s": rig.api_server_cpu() - before,
        "all_requests_each": said["requests"] / count,
        "peak_mib": said["peak_kib"] / 1024,
    }


def issue(rig, deepgram, process, count, meanwhile=lambda watch: None):
    empty = process.rss_kib()
    cost = Cost(rig, deepgram, process)
    with Watch(rig.plane, KEYS, READY) as watch:
        said = rig.write("load", deepgram, count)
        meanwhile(watch)
        ready = watch.wait(watch.matched, count, timeout(count))
    wait_rest(process)
    result = {
        "all_ready_s": ready - said["started"],
        "created_s": said["ended"] - said["started"],
        "creating_cpu_s": said["cpu_seconds"],
        "rss_empty_mib": empty / 1024,
        **cost.so_far(count),
    }
    assert deepgram.live() == count, "not one live key for each resource"
    return {**result, **scrape(process)}


def scrape(process):
    started, cpu = time.monotonic(), process.cpu_seconds()
    for _ in range(20):
        text = process.metrics().text
    return {"metrics_bytes": len(text), "metrics_ms": (time.monotonic() - started) * 1000 / 20,
            "metrics_cpu_ms": (process.cpu_seconds() - cpu) * 1000 / 20}


def idle(rig, deepgram, process):
    cost = Cost(rig, deepgram, process)
    time.sleep(IDLE_S)
    used = cost.so_far()
    return {**used, "core_percent": 100 * used["cpu_s"] / IDLE_S}


def restart(rig, deepgram, process, count):
    """Stops the process and returns its successor beside the cost of that one's start."""
    process.stop()
    mark = rig.plane.audit_mark()
    deepgram.emulator.clear_requests()
    again = rig.operator(deepgram)
    started = time.monotonic()
    again.start()
    synced = time.monotonic() - started
    while passes(again) < count:
        time.sleep(0.05)
    settled = time.monotonic() - started
    wait_rest(again)
    requests = rig.requests(mark)
    return again, {
        "synced_s": synced,
        "settled_s": settled,
        "cpu_s": again.cpu_seconds(),
        "rss_mib": again.rss_kib() / 1024,
        "peak_mib": again.peak_kib() / 1024,
        "requests": requests,
        "writes": total(requests, *WRITES),
        "lists_of_deepgram": len(deepgram.emulator.requests(operation="list_keys")),
    }


def rotate(rig, deepgram, process, count):
    """Every resource is asked for a new key; the old ones are revoked at the end of their overlap."""
    cost = Cost(rig, deepgram, process)
    with Watch(rig.plane, KEYS, ROTATED) as watch:
        said = rig.write("rotate", deepgram, count)
        rotated = watch.wait(watch.matched, count, timeout(count))
    while deepgram.live() > count:
        time.sleep(0.5)
    wait_rest(process)
    assert deepgram.live() == count and len(deepgram.keys()) == 2 * count
    return {"all_rotated_s": rotated - said["started"], **cost.so_far(count)}


def edit(rig, deepgram, process, count):
    """Every resource gets a field changed that its key isn't made of."""
    cost = Cost(rig, deepgram, process)
    started = time.monotonic()
    said = rig.write("edit", deepgram, count)
    wait_rest(process)
    settled = time.monotonic() - started - REST_S
    assert deepgram.live() == count and len(deepgram.keys()) == count
    return {"edited_s": said["ended"] - said["started"], "settled_s": settled,
            **cost.so_far(count)}


def delete(rig, deepgram, process, count):
    cost = Cost(rig, deepgram, process)
    with Watch(rig.plane, KEYS) as watch:
        said = rig.write("delete", deepgram, count)
        gone = watch.wait(watch.gone, count, timeout(count))
    wait_rest(process)
    assert deepgram.live() == 0, "keys outlived their resources"
    return {"all_gone_s": gone - said["started"], **cost.so_far(count)}
