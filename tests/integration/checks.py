"""What every case has to end in, and what a trouble has to look like for a person."""

import json

from resources import ADMIN_SECRET, GROUP, PLURALS, condition
from polling import wait_for

ISSUING = "deepgram.com/issuing"


def trouble(tenant, kind, name, reason, *words, state="Stalled", timeout=10):
    """Waits until the resource is not Ready for that reason, and returns the message.

    `words` are what the message has to say. `state` is the other condition that has to be there:
    Stalled waits for a person, Reconciling goes on by itself.
    """
    ready = tenant.wait_condition(kind, name, "Ready", "False", reason, timeout)
    print(f"{kind} {name}: {reason}: {ready['message']}")
    missing = [word for word in words if word not in ready["message"]]
    assert not missing, f"{missing} not in the message: {ready['message']}"
    found = tenant.find(kind, name)
    assert ready["observedGeneration"] == found["metadata"]["generation"]
    beside = condition(found, state)
    assert (beside["status"], beside["reason"]) == ("True", reason)
    assert beside["message"] == ready["message"]
    other = {"Stalled": "Reconciling", "Reconciling": "Stalled"}[state]
    assert condition(found, other) is None
    return ready["message"]


def no_trouble(resource):
    """Nothing of an earlier trouble is left in the status."""
    types = [entry["type"] for entry in resource["status"]["conditions"]]
    assert "Stalled" not in types and "Reconciling" not in types, types
    assert "failures" not in resource["status"] and "nextAttemptAt" not in resource["status"]


def secret_names(tenant):
    return sorted(secret["metadata"]["name"] for secret in tenant.secrets())


def no_secret_written(tenant, *others):
    """Only the admin Secret is there, and what the test itself made."""
    assert secret_names(tenant) == sorted([*others, ADMIN_SECRET])


def resources(tenant):
    return [
        item for plural in PLURALS.values()
        for item in tenant.client.get(f"{GROUP}/namespaces/{tenant.namespace}/{plural}")["items"]
    ]


def balanced(tenant):
    """The live credentials at Deepgram are those that existing resources name, each only once."""
    def revisions(resource):
        return resource.get("status", {}).get("revisions", [])

    named = [
        revision["id"] for resource in resources(tenant) for revision in revisions(resource)
        if revision["state"] != "Revoked"
    ]
    assert sorted(tenant.live()) == sorted(named)
    return True


def open_creates(resource):
    """The announced creates that no revision of the resource answers."""
    announced = json.loads(resource["metadata"].get("annotations", {}).get(ISSUING, "[]"))
    known = [entry["revision"] for entry in resource.get("status", {}).get("revisions", [])]
    return [attempt for attempt in announced if attempt["revision"] not in known]


def settled(tenant, timeout=10):
    """Waits until no create can surface any more, then checks the balance."""
    def all_closed():
        still_open = [attempt for item in resources(tenant) for attempt in open_creates(item)]
        assert not still_open, still_open
        return True

    wait_for(all_closed, timeout, "every announced create is accounted for")
    return balanced(tenant)
