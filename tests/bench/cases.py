"""Whether cost grows as it should: cases by name (BENCH_CASES), each with the operator alone and, where
something is to be compared with, the plain case of the same size beside it."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

from measure import delete, edit, issue, restart
from rig import Deepgram, Rig

COUNT = int(os.environ.get("BENCH_CASE_N", "1000"))
SECRETS = int(os.environ.get("BENCH_SECRETS", "1000"))
QUOTA_BYTES = 8 << 30
SHOWN = ("all_ready_s", "cpu_s", "requests_each", "deepgram_each", "rss_empty_mib", "rss_mib",
         "peak_mib", "metrics_bytes", "synced_s", "settled_s", "writes", "lists_of_deepgram",
         "all_gone_s")


def stages(namespaces=1, projects=1):
    with Rig() as rig, Deepgram(rig, namespaces, projects) as deepgram:
        process = rig.operator(deepgram).start()
        result = {"issue": issue(rig, deepgram, process, COUNT)}
        process, result["restart"] = restart(rig, deepgram, process, COUNT)
        result["delete"] = delete(rig, deepgram, process, COUNT)
        process.stop()
    return result


def one_namespace():
    return stages()


def namespaces():
    """Ten resources in each."""
    return stages(namespaces=max(COUNT // 10, 2))


def projects():
    return stages(namespaces=50, projects=50)


def edits():
    """A burst of as many edits as there are resources."""
    with Rig() as rig, Deepgram(rig) as deepgram:
        process = rig.operator(deepgram).start()
        result = {"issue": issue(rig, deepgram, process, COUNT),
                  "edit": edit(rig, deepgram, process, COUNT)}
        process.stop()
    return result


def throttle():
    """Half-way through, Deepgram says 429 for a while, with a Retry-After of two seconds."""
    with Rig() as rig, Deepgram(rig) as deepgram:
        process = rig.operator(deepgram).start()

        def refuse(watch):
            watch.wait(watch.matched, COUNT // 2, 600)
            deepgram.emulator.add_fault("create_key", "status", status=429, count=20,
                                        headers={"Retry-After": "2"})

        result = {"issue": issue(rig, deepgram, process, COUNT, meanwhile=refuse)}
        (fault,) = deepgram.emulator.faults()
        result["refused"] = {"times": fault["fired"]}
        assert len(deepgram.keys()) == COUNT, "a refused create was counted as one"
        process.stop()
    return result


def secrets():
    """Beside other people's Secrets of 1 MB each."""
    with Rig(etcd_quota_bytes=QUOTA_BYTES) as rig, Deepgram(rig) as deepgram:
        process = rig.operator(deepgram).start()
        before = process.rss_kib()
        fill_with_secrets(rig)
        time.sleep(5)
        result = {"beside": {"rss_before_mib": before / 1024, "rss_mib": process.rss_kib() / 1024,
                             "peak_mib": process.peak_kib() / 1024}}
        result["issue"] = issue(rig, deepgram, process, COUNT)
        process, result["restart"] = restart(rig, deepgram, process, COUNT)
        process.stop()
    return result


def fill_with_secrets(rig):
    data = "QUJD" * (250 * 1000)  # 1 MB of base64: what the API server stores and sends

    def create(index):
        rig.plane.client.post("/api/v1/namespaces/bench/secrets", {
            "metadata": {"name": f"other-{index}"}, "data": {"blob": data}})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(create, range(SECRETS)))


CASES = {"one-namespace": one_namespace, "namespaces": namespaces, "projects": projects,
         "edits": edits, "throttle": throttle, "secrets": secrets}


def show(name, result):
    print(f"\n{name}, N = {COUNT:,}")
    for stage, fields in result.items():
        shown = (field for field in fields if stage not in ("issue", "restart", "delete")
                 or field in SHOWN)
        print(f"  {stage}: " + ", ".join(
            f"{field} {fields[field]:,.2f}" for field in shown
            if isinstance(fields[field], (int, float))), flush=True)
