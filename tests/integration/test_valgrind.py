"""The main job under valgrind, which sees the libraries too: no invalid access, no leak, no
descriptor left open, without suppressions."""

import re
import shutil

import pytest

import operator_process
from resources import Tenant

VALGRIND = ["valgrind", "--error-exitcode=99", "--leak-check=full", "--track-fds=yes"]
NAMES = {"DeepgramApiKey": "api-key", "DeepgramPullSecret": "regcred"}

pytestmark = [
    pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed"),
    pytest.mark.skipif(operator_process.is_sanitized(),
                       reason="AddressSanitizer and valgrind don't go together"),
]


def test_the_main_job_under_valgrind(control_plane, emulator, namespace, operator, monkeypatch):
    monkeypatch.setattr(operator_process, "WRAPPER", VALGRIND)
    tenant = Tenant(control_plane, emulator, namespace)
    tenant.put_admin_secret()
    process = operator("--settle=1s", "--lease-duration=60s", "--lease-renew=50s")
    for kind, name in NAMES.items():
        tenant.create(kind, name)
    for kind, name in NAMES.items():
        tenant.wait_ready(kind, name, 60)
        tenant.delete(kind, name)
    for kind, name in NAMES.items():
        tenant.wait_gone(kind, name, 60)
    assert tenant.live() == []
    process.metrics()
    process.stop(grace_s=30)  # asserts that valgrind had no reason to end it with another code
    log = process.log_text()
    assert "ERROR SUMMARY: 0 errors" in log
    descriptors = re.search(r"FILE DESCRIPTORS: (\d+) open \((\d+) std\) at exit", log)
    assert descriptors and descriptors[1] == descriptors[2], log[-4000:]
