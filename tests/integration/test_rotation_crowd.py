"""Five hundred resources that are due at the same moment."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from hours import issued_earlier
from polling import wait_for
from resources import Tenant, condition

COUNT = 500
IN_FLIGHT = 8
FLAGS = ("--settle=2s", "--inventory-interval=5s", f"--max-in-flight={IN_FLIGHT}")


def all_on(tenant, revision):
    """The resources that are Ready on that revision."""
    found = tenant.client.get(tenant.path("DeepgramApiKey"))["items"]
    return [one for one in found if one["status"].get("revision") == revision
            and condition(one, "Ready")["status"] == "True"]


def test_no_more_at_deepgram_than_max_in_flight_and_none_is_rotated_twice(
        control_plane, emulator, namespace, operator, say):
    tenant = Tenant(control_plane, emulator, namespace)
    tenant.put_admin_secret()
    emulator.settings(latency_ms=20)
    process = operator(*FLAGS)
    rotation = {"every": "1h", "overlap": "1s"}
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda index: tenant.api_key(f"it-{index}", rotation=rotation), range(COUNT)))
    wait_for(lambda: len(all_on(tenant, 1)) == COUNT, 120, "all are issued", interval=1)
    process.stop()

    issued_earlier(tenant, 5)
    emulator.clear_requests()
    started = time.monotonic()
    operator(*FLAGS)
    wait_for(lambda: len(all_on(tenant, 2)) == COUNT, 120, "all are rotated", interval=1)
    wait_for(lambda: len(tenant.live()) == COUNT, 60, "all old ones are revoked", interval=1)
    say(f"{COUNT} rotated and the old ones revoked in {time.monotonic() - started:.1f} s")
    time.sleep(2)
    asked = emulator.requests()
    made = Counter(request["body"]["comment"].split(" ")[0] for request in asked
                   if request["operation"] == "create_key")
    assert len(made) == COUNT and set(made.values()) == {1}, made.most_common(3)
    assert max(request["in_flight"] for request in asked) == IN_FLIGHT
