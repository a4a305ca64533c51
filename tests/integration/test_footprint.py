"""What it costs to have the operator in a cluster that does nothing: memory and processor time."""

import json
import os
import statistics
import time
from pathlib import Path

import pytest

import operator_process
from emulator import Emulator
from resources import Tenant

KIND = "DeepgramApiKey"
RESIDENT_KIB = 14 * 1024
ANONYMOUS_KIB = 4 * 1024
CPU_MS_PER_MINUTE = 20
WAKE_UPS_PER_MINUTE = 90
IDLE_S = 30

pytestmark = pytest.mark.skipif(
    "OPERATOR_WRAPPER" in os.environ or operator_process.is_sanitized(),
    reason="a sanitizer's or a wrapper's own cost would be measured")


@pytest.fixture
def tls_emulator(control_plane):
    certificate, key = control_plane.pki.server
    with Emulator.start(f"--tls-cert={certificate}", f"--tls-key={key}",
                        ca_file=control_plane.pki.ca) as running:
        yield running


@pytest.fixture
def idle(control_plane, tls_emulator, namespace, operator):
    """An operator that has talked to Deepgram over TLS and has nothing left to do."""
    process = operator(f"--deepgram-url={tls_emulator.url}",
                       f"--registry-url={tls_emulator.url}",
                       f"--ca-file={control_plane.pki.ca}", "--settle=1s")
    tenant = Tenant(control_plane, tls_emulator, namespace)
    tenant.put_admin_secret()
    tenant.api_key()
    tenant.wait_ready(KIND, "api-key")
    tenant.delete(KIND, "api-key")
    tenant.wait_gone(KIND, "api-key")
    return process


def cpu_ns(process):
    """Time on a processor; /proc/PID/stat counts in ticks of ten milliseconds."""
    return int(Path(f"/proc/{process.pid}/schedstat").read_text().split()[0])


def wake_ups(process):
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])


TEXT = json.dumps([{"name": f"it-{i}", "labels": {str(k): k for k in range(10)}}
                   for i in range(60)])


def some_work_ns():
    begin = time.thread_time_ns()
    json.dumps(json.loads(TEXT))
    return time.thread_time_ns() - begin


def pass_time():
    """Waits IDLE_S, and tells by how much a little work that follows a pause costs more than in a
    row: a machine that gives its idle memory and caches to others charges their return to whoever
    wakes up."""
    after_pause = []
    for _ in range(IDLE_S // 3):
        time.sleep(3)
        after_pause.append(some_work_ns())
    in_a_row = [some_work_ns() for _ in range(50)]
    return max(1, statistics.median(after_pause) / statistics.median(in_a_row))


def test_an_idle_operator_is_small_and_quiet(idle, say):
    before, woken, started = cpu_ns(idle), wake_ups(idle), time.monotonic()
    factor = pass_time()
    used_ms = (cpu_ns(idle) - before) / 1e6
    per_minute_ms = used_ms * 60 / (time.monotonic() - started)
    woken_per_minute = (wake_ups(idle) - woken) * 60 / (time.monotonic() - started)
    resident, anonymous = idle.rss_kib(), idle.anonymous_kib()
    say(f"idle: {resident / 1024:.1f} MiB resident, {anonymous / 1024:.1f} MiB of it anonymous, "
        f"{woken_per_minute:.0f} wake-ups and {per_minute_ms:.1f} ms CPU per minute, where work "
        f"after a pause costs {factor:.1f} times as much as in a row")
    assert woken_per_minute <= WAKE_UPS_PER_MINUTE
    assert resident <= RESIDENT_KIB
    assert anonymous <= ANONYMOUS_KIB
    assert per_minute_ms <= CPU_MS_PER_MINUTE * factor
