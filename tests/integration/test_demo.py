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


def requests(emulator, *operations):
    """The ids of what was created or revoked, in that order."""
    found = [r for operation in operations for r in emulator.requests(operation=operation)]
    return [r["credential_id"] for r in sorted(found, key=lambda r: r["seq"])
            if r["status"] == 200]


def positions(output, *texts):
    found = [output.find(text) for text in texts]
    assert -1 not in found, [text for text, at in zip(texts, found) if at == -1]
    return found


def test_the_demo_prints_the_ids_that_deepgram_knows_and_leaves_nothing(emulator):
    output = run_demo(emulator)
    printed = set(re.findall(rf"live at Deepgram: [\w ]+ ({UUID})", output))
    created = requests(emulator, "create_key", "create_credentials")
    assert printed == set(created) and len(created) == 6  # five samples and one rotation
    new, = re.findall(rf"published: revision 2, key ({UUID})", output)
    old, = re.findall(rf"revoked: key ({UUID})", output)
    assert new == created[-1]
    assert requests(emulator, "delete_key", "delete_credentials")[0] == old
    order = positions(
        output, "1 of 3: deepgram-license-proxy", "2 of 3: deepgram-engine", "3 of 3: deepgram-api",
        "older than revision 2", f"revoked: key {old}", "still use Secret", "live at Deepgram: nothing")
    assert order == sorted(order)
    state = emulator.state()
    secrets = [k["key"] for k in state["keys"]] + [
        c["secret"] for c in state["distribution_credentials"]]
    assert not [s for s in secrets if s in output], "the demo printed a secret value"
    alive = [k["api_key_id"] for k in state["keys"] if k["alive"] and not k["admin"]]
    assert alive == [] and not any(c["alive"] for c in state["distribution_credentials"])
