"""`make demo`'s script, held against the emulator's own list."""

import os
import re
import subprocess
import sys

from controlplane import REPOSITORY

UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
TIMEOUT_S = 240


def run_demo(emulator):
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "tests" / "demo" / "demo.py")],
        env={**os.environ, "DEEPGRAM_URL": emulator.url}, text=True, timeout=TIMEOUT_S,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_demo_prints_the_ids_that_deepgram_knows_and_leaves_nothing(emulator):
    output = run_demo(emulator)
    printed = set(re.findall(rf"live at Deepgram: [\w ]+ ({UUID})", output))
    created = {
        request["credential_id"]
        for operation in ("create_key", "create_credentials")
        for request in emulator.requests(operation=operation)
    }
    assert printed == created and len(created) == 6  # five samples and one rotation
    state = emulator.state()
    secrets = [k["key"] for k in state["keys"]] + [
        c["secret"] for c in state["distribution_credentials"]]
    assert not [s for s in secrets if s in output], "the demo printed a secret value"
    alive = [k["api_key_id"] for k in state["keys"] if k["alive"] and not k["admin"]]
    assert alive == [] and not any(c["alive"] for c in state["distribution_credentials"])
    assert "live at Deepgram: nothing" in output
