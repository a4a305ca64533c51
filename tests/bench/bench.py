#!/usr/bin/env python3
"""make bench: what N resources cost, beside the bare writer, which issues the unavoidable requests
and does nothing else. README.md says how to read the numbers."""

import json
import os
import statistics
import subprocess
import tempfile
import time

from rig import KEYS, READY, REPOSITORY, SECRETS, BUILD, Rig, Watch

RUNS = int(os.environ.get("BENCH_RUNS", "3"))
COUNTS = [int(count) for count in os.environ.get("BENCH_N", "100 1000").split()]
IDLE_S = int(os.environ.get("BENCH_IDLE_S", "60"))
REST_S = 2  # in which events and second looks come to an end
RESULTS = REPOSITORY / "tests" / "bench" / "results"


def timeout(count):
    return 120 + count / 5  # of a busy machine, or under a profiler


def total(requests, *verbs):
    return sum(number for name, number in requests.items() if name.split()[0] in verbs)


WRITES = ("create", "update", "patch", "delete")


class Cost:
    """Difference of what processes have used between its making and `so_far`."""

    def __init__(self, rig, process):
        self.rig, self.process = rig, process
        self.mark = rig.plane.audit_mark()
        self.cpu = process.cpu_seconds()
        self.api_server_cpu = rig.api_server_cpu()

    def so_far(self):
        api_server_cpu = self.rig.api_server_cpu() - self.api_server_cpu
        return {
            "cpu_s": self.process.cpu_seconds() - self.cpu,
            "api_server_cpu_s": api_server_cpu,
            "requests": self.rig.requests(self.mark),
        }


def deepgram_requests(process):
    metrics = process.metrics()
    return {
        labels["operation"]: int(value) for name, labels, value in metrics.samples
        if name == "deepgram_operator_deepgram_requests_total"
    }


def bare(rig, count):
    """The bare writer, with its resources taken away again."""
    emulator, tenant = rig.deepgram()
    with emulator:
        before = rig.api_server_cpu()
        with Watch(rig.plane, KEYS, READY) as watch:
            said = rig.write(tenant, count)
            ready = watch.wait(watch.matched, count, timeout(count))
        time.sleep(REST_S)
        result = {
            "all_ready_s": ready - said["started"],
            "cpu_s": said["cpu_seconds"],
            "api_server_cpu_s": rig.api_server_cpu() - before,
            "all_requests_each": said["requests"] / count,
            "peak_mib": said["peak_kib"] / 1024,
        }
        rig.clear()
    return result


def issue(rig, tenant, process, count):
    cost = Cost(rig, process)
    empty = process.rss_kib()
    with Watch(rig.plane, KEYS, READY) as watch:
        said = rig.write(tenant, count, "load")
        ready = watch.wait(watch.matched, count, timeout(count))
    time.sleep(REST_S)
    used = cost.so_far()
    deepgram = deepgram_requests(process)
    requests = used["requests"]
    events = sum(number for name, number in requests.items() if name.endswith(" events"))
    return {
        "all_ready_s": ready - said["started"],
        "created_s": said["ended"] - said["started"],
        "creating_cpu_s": said["cpu_seconds"],
        "cpu_s": used["cpu_s"],
        "api_server_cpu_s": used["api_server_cpu_s"],
        "requests": requests,
        "requests_each": (total(requests, *WRITES, "get") - events) / count,
        "events_each": events / count,
        "deepgram": deepgram,
        "deepgram_each": sum(deepgram.values()) / count,
        "rss_empty_mib": empty / 1024,
        "rss_mib": process.rss_kib() / 1024,
        "peak_mib": process.peak_kib() / 1024,
        "metrics_bytes": len(process.metrics().text),
    }


def idle(rig, process):
    cost = Cost(rig, process)
    time.sleep(IDLE_S)
    used = cost.so_far()
    return {"cpu_s": used["cpu_s"], "core_percent": 100 * used["cpu_s"] / IDLE_S,
            "requests": used["requests"]}


def restart(rig, emulator, process, count):
    process.stop()
    mark = rig.plane.audit_mark()
    again = rig.operator(emulator)
    started = time.monotonic()
    again.start()
    synced = time.monotonic() - started

    def passes():
        return again.metrics().value("deepgram_operator_reconciles_total") or 0

    while passes() < count:
        time.sleep(0.05)
    settled = time.monotonic() - started
    time.sleep(REST_S)
    requests = rig.requests(mark)
    return again, {
        "synced_s": synced,
        "settled_s": settled,
        "cpu_s": again.cpu_seconds(),
        "peak_mib": again.peak_kib() / 1024,
        "requests": requests,
        "writes": total(requests, *WRITES),
        "deepgram": deepgram_requests(again),
    }


def delete(rig, tenant, process, count):
    cost = Cost(rig, process)
    with Watch(rig.plane, KEYS, READY) as watch:
        started = time.monotonic()
        rig.plane.client.delete(KEYS)
        gone = watch.wait(watch.gone, count, timeout(count))
    time.sleep(REST_S)
    assert tenant.live() == [], "credentials outlived their resources"
    used = cost.so_far()
    requests = used["requests"]
    return {"all_gone_s": gone - started, **used, "rss_mib": process.rss_kib() / 1024,
            "requests_each": total(requests, *WRITES, "get") / count}


def operator(rig, count):
    """The life of N resources with the operator."""
    emulator, tenant = rig.deepgram()
    with emulator:
        process = rig.operator(emulator).start()
        time.sleep(REST_S)
        result = {"issue": issue(rig, tenant, process, count)}
        if IDLE_S:
            result["idle"] = idle(rig, process)
        process, result["restart"] = restart(rig, emulator, process, count)
        result["delete"] = delete(rig, tenant, process, count)
        process.stop()
        rig.clear()
    return result


def first_secret(rig):
    """From the start of the process to the first target Secret, for a resource that waits for it."""
    emulator, tenant = rig.deepgram()
    with emulator:
        tenant.api_key("first")
        process = rig.operator(emulator)
        with Watch(rig.plane, SECRETS) as watch:
            started = time.monotonic()
            process.start(wait_ready=False)
            watch.wait(watch.matched, 3, 20)  # the admin Secret with its mark, revision, target
        tenant.wait_ready("DeepgramApiKey", "first")
        tenant.delete("DeepgramApiKey", "first")
        tenant.wait_gone("DeepgramApiKey", "first")
        process.stop()
        rig.clear()
    return {"first_secret_ms": 1000 * (watch.matched["first"] - started)}


# ---- what is shown ----

ROWS = (  # section, field, label, number of digits
    ("issue", "all_ready_s", "all Ready, s", 2),
    ("issue", "cpu_s", "controller CPU, s", 2),
    ("issue", "api_server_cpu_s", "API server CPU, s", 2),
    ("issue", "requests_each", "API requests each, without the event", 3),
    ("issue", "events_each", "events each", 3),
    ("issue", "deepgram_each", "Deepgram requests each", 3),
    ("issue", "rss_empty_mib", "resident with none, MiB", 1),
    ("issue", "rss_mib", "resident, MiB", 1),
    ("issue", "peak_mib", "peak, MiB", 1),
    ("issue", "metrics_bytes", "size of /metrics, bytes", 0),
    ("idle", "core_percent", "idle, % of a core", 3),
    ("restart", "synced_s", "restart: synced after, s", 2),
    ("restart", "settled_s", "restart: all looked at after, s", 2),
    ("restart", "cpu_s", "restart: CPU, s", 2),
    ("restart", "peak_mib", "restart: peak, MiB", 1),
    ("restart", "writes", "restart: writes", 0),
    ("delete", "all_gone_s", "all deleted, s", 2),
    ("delete", "cpu_s", "deletion: controller CPU, s", 2),
    ("delete", "requests_each", "deletion: API requests each", 3),
)


def median(runs, *path):
    def value(run):
        for name in path:
            run = run.get(name, {})
        return run

    found = [value(run) for run in runs]
    return statistics.median(found) if all(isinstance(one, (int, float)) for one in found) else None


def show(count, runs, bares):
    print(f"\nN = {count:,}, median of {len(runs)}{'operator':>36}{'bare writer':>14}")
    creating = median(runs, "issue", "creating_cpu_s")
    for section, field, label, digits in ROWS:
        ours = median(runs, section, field)
        theirs = median(bares, field) if section == "issue" else None
        if field == "cpu_s" and theirs is not None:
            theirs -= creating  # the user's part of it
        cells = ["" if one is None else f"{one:,.{digits}f}" for one in (ours, theirs)]
        print(f"  {label:<42}{cells[0]:>16}{cells[1]:>14}")
    ratio = statistics.median(
        run["issue"]["all_ready_s"] / one["all_ready_s"] for run, one in zip(runs, bares))
    print(f"  {'all Ready, ratio to the bare writer':<42}{ratio:>16.3f}")
    for section in ("issue", "idle", "restart", "delete"):
        if section in runs[-1]:
            print(f"  {section}: " + ", ".join(
                f"{number} {name}" for name, number in runs[-1][section]["requests"].items()))
    print(f"  Deepgram: issue {runs[-1]['issue']['deepgram']}, "
          f"restart {runs[-1]['restart']['deepgram']}", flush=True)


def version():
    done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=REPOSITORY,
                          capture_output=True, text=True, check=False)
    return done.stdout.strip()


def measure(count, directory):
    with Rig(directory) as rig:
        firsts = [first_secret(rig) for _ in range(RUNS)]
        runs, bares = [], []
        for _ in range(RUNS):  # by turns, so that both meet the same machine
            bares.append(bare(rig, count))
            runs.append(operator(rig, count))
    print(f"start to first Secret: {median(firsts, 'first_secret_ms'):.0f} ms")
    show(count, runs, bares)
    return {"n": count, "operator": runs, "bare_writer": bares, "first_secret": firsts}


def main():
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        results = [measure(count, directory) for count in COUNTS]
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.json"
    path.write_text(json.dumps({
        "commit": version(), "binary_bytes": (BUILD / "deepgram-operator").stat().st_size,
        "cores": os.cpu_count(), "results": results}, indent=1) + "\n")
    print(f"\n{path.relative_to(REPOSITORY)}")


if __name__ == "__main__":
    main()
