#!/usr/bin/env python3
"""make bench: what N resources cost, beside the bare writer, which issues the unavoidable requests
and does nothing else, and beside a peer where there is one. README.md says how to read the numbers."""

import json
import os
import shlex
import statistics
import subprocess
import sys
import time

import cases
import peer
from measure import IDLE_S, bare, delete, idle, issue, restart, rotate, scrape
from rig import BUILD, REPOSITORY, Deepgram, Rig, Watch

RUNS = int(os.environ.get("BENCH_RUNS", "3"))
COUNTS = [int(count) for count in os.environ.get("BENCH_N", "100 1000").split()]
CASES = os.environ.get("BENCH_CASES", "").split()
PEER = shlex.split(os.environ.get("BENCH_PEER", ""))
RESULTS = REPOSITORY / "tests" / "bench" / "results"


def say(text):
    print(text, file=sys.stderr, flush=True)


def life(count):
    """The life of N resources with the operator."""
    with Rig() as rig, Deepgram(rig) as deepgram:
        process = rig.operator(deepgram).start()
        time.sleep(2)
        result = {"issue": issue(rig, deepgram, process, count)}
        if IDLE_S:
            result["idle"] = idle(rig, deepgram, process)
        process, result["restart"] = restart(rig, deepgram, process, count)
        result["rotate"] = rotate(rig, deepgram, process, count)
        result["delete"] = delete(rig, deepgram, process, count)
        result["after"] = scrape(process)
        process.stop()
    return result


def bare_life(count):
    with Rig() as rig, Deepgram(rig) as deepgram:
        return bare(rig, deepgram, count)


def first_secrets():
    """From the start of the process to the first target Secret, for a resource that waits for it."""
    found = []
    with Rig() as rig:
        for run in range(RUNS):
            with Deepgram(rig) as deepgram:
                found.append(first_secret(rig, deepgram, f"first-{run}"))
    return found


def first_secret(rig, deepgram, name):
    tenant = deepgram.tenant(rig)
    tenant.api_key(name)
    process = rig.operator(deepgram)
    with Watch(rig.plane, tenant.secret_path(), b'"deepgram.com/template"') as watch:
        started = time.monotonic()
        process.start(wait_ready=False)
        watch.wait(watch.matched, 1, 20)
    tenant.wait_ready("DeepgramApiKey", name)
    tenant.delete("DeepgramApiKey", name)
    tenant.wait_gone("DeepgramApiKey", name)
    process.stop()
    return {"first_secret_ms": 1000 * (watch.matched[name] - started)}


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
    ("issue", "metrics_cpu_ms", "CPU of a scrape, ms", 2),
    ("idle", "core_percent", "idle, % of a core", 3),
    ("restart", "synced_s", "restart: synced after, s", 2),
    ("restart", "settled_s", "restart: all looked at after, s", 2),
    ("restart", "cpu_s", "restart: CPU, s", 2),
    ("restart", "peak_mib", "restart: peak, MiB", 1),
    ("restart", "writes", "restart: writes", 0),
    ("restart", "lists_of_deepgram", "restart: lists of Deepgram", 0),
    ("rotate", "all_rotated_s", "all rotated, s", 2),
    ("rotate", "cpu_s", "rotation, old keys revoked: CPU, s", 2),
    ("rotate", "requests_each", "rotation: API requests each", 3),
    ("rotate", "deepgram_each", "rotation: Deepgram requests each", 3),
    ("rotate", "peak_mib", "rotation: peak, MiB", 1),
    ("delete", "all_gone_s", "all deleted, s", 2),
    ("delete", "cpu_s", "deletion: controller CPU, s", 2),
    ("delete", "requests_each", "deletion: API requests each", 3),
    ("delete", "deepgram_each", "deletion: Deepgram requests each", 3),
)
GROWTH = (("all_ready_s", "time"), ("cpu_s", "CPU"))


def median(runs, *path):
    def value(run):
        for name in path:
            run = run.get(name, {})
        return run

    found = [value(run) for run in runs]
    return statistics.median(found) if all(isinstance(one, (int, float)) for one in found) else None


def show(count, columns):
    """columns: {title: runs}; those of the bare writer are flat, as it has one stage."""
    runs, bares = columns["operator"], columns["bare writer"]
    print(f"\nN = {count:,}, median of {len(runs)}".ljust(44)
          + "".join(title.rjust(14) for title in columns))
    creating = median(runs, "issue", "creating_cpu_s")
    for section, field, label, digits in ROWS:
        cells = []
        for title, column in columns.items():
            path = (section, field) if title != "bare writer" else (field,)
            value = median(column, *path) if len(path) == 2 or section == "issue" else None
            if title == "bare writer" and field == "cpu_s" and value is not None:
                value -= creating  # the user's part of it
            cells.append("" if value is None else f"{value:,.{digits}f}")
        if any(cells):
            print(f"  {label:<42}" + "".join(cell.rjust(14) for cell in cells))
    ratio = statistics.median(
        run["issue"]["all_ready_s"] / one["all_ready_s"] for run, one in zip(runs, bares))
    print(f"  {'all Ready, ratio to the bare writer':<42}{ratio:>14.3f}")
    for section in ("issue", "idle", "restart", "rotate", "delete"):
        if section in runs[-1]:
            print(f"  {section}: " + ", ".join(
                f"{number} {name}" for name, number in runs[-1][section]["requests"].items()))
    print(f"  Deepgram at the issue: {runs[-1]['issue']['deepgram']}", flush=True)


def show_growth(results):
    """How cost per resource changes from one N to the next."""
    for one, next_one in zip(results, results[1:]):
        for field, label in GROWTH:
            per = [median(result["operator"], "issue", field) / result["n"]
                   for result in (one, next_one)]
            print(f"growth from {one['n']:,} to {next_one['n']:,}: {label} per resource "
                  f"{per[0] * 1000:.2f} -> {per[1] * 1000:.2f} ms ({per[1] / per[0] - 1:+.0%})")
        memory = (median(next_one["operator"], "issue", "peak_mib")
                  - median(one["operator"], "issue", "peak_mib"))
        print(f"growth from {one['n']:,} to {next_one['n']:,}: "
              f"{1024 * memory / (next_one['n'] - one['n']):.2f} KiB more at the peak per resource")


def measure(count):
    runs, bares, peers = [], [], []
    for run in range(RUNS):  # by turns, so that all meet the same machine
        say(f"N = {count:,}, run {run + 1} of {RUNS}")
        bares.append(bare_life(count))
        runs.append(life(count))
        if PEER:
            peers.append(peer.life(PEER, count))
    columns = {"operator": runs, "bare writer": bares}
    if PEER:
        columns[peer.name()] = peers
    show(count, columns)
    return {"n": count, "operator": runs, "bare_writer": bares, "peer": peers}


def version():
    done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=REPOSITORY,
                          capture_output=True, text=True, check=False)
    return done.stdout.strip()


def sizes():
    """Of the program as built (with what gdb wants and without), and of the image when it was made."""
    binary = BUILD / "deepgram-operator"
    stripped = BUILD / "deepgram-operator-stripped"
    subprocess.run(["strip", "-o", stripped, binary], check=True)
    found = {"binary_bytes": binary.stat().st_size, "stripped_bytes": stripped.stat().st_size}
    stripped.unlink()
    for image in BUILD.glob("*.oci.tar"):
        found["image_bytes"] = image.stat().st_size
    return found


def main():
    result = {"commit": version(), "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
              "cores": os.cpu_count(), "load_before": os.getloadavg()[0], **sizes()}
    for name in ("binary_bytes", "stripped_bytes", "image_bytes"):
        size = f"{result[name] / 2**20:.2f} MiB" if name in result else "not built (make image)"
        print(f"{name.removesuffix('_bytes')}: {size}")
    if COUNTS:
        result["first_secret"] = first_secrets()
        print(f"start to first Secret: {median(result['first_secret'], 'first_secret_ms'):.0f} ms")
    result["results"] = [measure(count) for count in COUNTS]
    show_growth(result["results"])
    result["cases"] = {}
    for name in CASES:
        say(f"case {name}")
        result["cases"][name] = cases.CASES[name]()
        cases.show(name, result["cases"][name])
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(f"\n{path.relative_to(REPOSITORY)}")


if __name__ == "__main__":
    main()
