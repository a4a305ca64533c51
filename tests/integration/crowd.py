"""Many resources of both kinds in one namespace, and the operator killed while it works on them."""

import random
import time

from checks import open_creates, resources
from polling import wait_for
from resources import PLURALS, condition

KEY = "DeepgramApiKey"
PULL = "DeepgramPullSecret"
CREATES = ("create_key", "create_credentials")
DELETES = ("delete_key", "delete_credentials")


class Crowd:
    """`count` resources, half of each kind."""

    def __init__(self, tenant, count):
        self.tenant = tenant
        self.members = [((KEY, PULL)[index % 2], f"it-{index}") for index in range(count)]

    def create(self):
        for kind, name in self.members:
            self.tenant.create(kind, name)

    def delete(self):
        for plural in PLURALS.values():
            path = f"/apis/deepgram.com/v1alpha1/namespaces/{self.tenant.namespace}/{plural}"
            self.tenant.client.delete(path)

    def exact(self):
        """All Ready; live credentials at Deepgram are the revisions in the cluster, one each."""
        found = resources(self.tenant)
        waiting = [item["metadata"]["name"] for item in found if not is_ready(item)]
        assert len(found) == len(self.members) and not waiting, f"{len(waiting)} are not Ready"
        still_open = [item["metadata"]["name"] for item in found if open_creates(item)]
        assert not still_open, f"{len(still_open)} with an open create"
        named = sorted(revision["id"] for item in found for revision in item["status"]["revisions"]
                       if revision["state"] != "Revoked")
        live = sorted(self.tenant.live())
        assert len(live) == len(self.members) and live == named == kept(self.tenant), (
            f"{len(live)} live, {len(named)} named, {len(kept(self.tenant))} kept")
        return True

    def gone(self):
        left = resources(self.tenant)
        live = self.tenant.live()
        assert not left and not live, f"{len(left)} resources, {len(live)} live"
        assert not kept(self.tenant)
        return True


def is_ready(resource):
    ready = condition(resource, "Ready")
    return ready is not None and ready["status"] == "True"


def kept(tenant):
    """Ids in the revision Secrets."""
    return sorted(secret["metadata"]["annotations"]["deepgram.com/id"]
                  for secret in tenant.secrets() if secret["type"] == "deepgram.com/credential")


class Arrivals:
    """Counts the requests of some operations that have reached the emulator since it was made."""

    def __init__(self, tenant, operations):
        self.tenant = tenant
        self.operations = operations
        self.count = 0
        self.seq = 0
        self.update()
        self.count = 0

    def update(self):
        for request in self.tenant.emulator.requests(
                since=self.seq, project_id=self.tenant.project_id):
            self.seq = request["seq"]
            self.count += request["operation"] in self.operations
        return self.count


def kill_again_and_again(process, arrivals, kills, total, seed):
    """SIGKILL and restart at random moments, spread over the work of about `total` requests."""
    print(f"seed {seed}")
    chance = random.Random(seed)
    for moment in sorted(chance.randrange(1, total) for _ in range(kills)):
        wait_for(lambda: arrivals.update() >= moment, 60, f"request {moment} arrives",
                 interval=0.01)
        time.sleep(chance.random() * 0.05)
        process.kill()
        process.start(wait_ready=False)
