"""Roll-outs on a real control plane: which workload is restarted when, what holds one up, and how a
key that pods fail on is taken back. tests/integration/test_rotation*.py watch the keys meanwhile."""

import time

import pytest

from polling import wait_for
from resources import Tenant, condition
from verdicts import kstatus

ROTATE = "deepgram.com/rotate"
MARKER = "revision.deepgram.com/api-key"
APPS = "/apis/apps/v1/namespaces"


@pytest.fixture
def tenant(cluster, emulator, namespace):
    found = Tenant(cluster, emulator, namespace)
    found.put_admin_secret()
    return found


def deployment(tenant, name, replicas=2, labels=None, annotations=None, secret="api-key", **spec):
    labels = {"app": name, **(labels or {})}
    strategy = {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    body = {
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas, "strategy": strategy, "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": labels, "annotations": annotations or {}},
                "spec": {
                    "terminationGracePeriodSeconds": 1,
                    "containers": [{
                        "name": "main", "image": f"quay.io/deepgram/{name}",
                        "envFrom": [{"secretRef": {"name": secret}}],
                    }],
                },
            },
            **spec,
        },
    }
    return tenant.client.post(f"{APPS}/{tenant.namespace}/deployments", body)


def pods(tenant, name):
    path = f"/api/v1/namespaces/{tenant.namespace}/pods"
    return tenant.client.get(path, labelSelector=f"app={name}")["items"]


def is_ready(pod):
    return any(c["type"] == "Ready" and c["status"] == "True"
               for c in pod.get("status", {}).get("conditions", []))


def wait_running(tenant, name, count):
    def running():
        found = pods(tenant, name)
        return len(found) == count and all(map(is_ready, found)) and found

    return wait_for(running, 60, f"{count} pods of {name} are ready")


def rotate(tenant, token):
    tenant.patch("DeepgramApiKey", "api-key", {"metadata": {"annotations": {ROTATE: token}}})


def template_marker(tenant, name):
    found = tenant.client.get(f"{APPS}/{tenant.namespace}/deployments/{name}")
    return found["spec"]["template"]["metadata"].get("annotations", {}).get(MARKER)


def updated(tenant):
    return condition(tenant.find("DeepgramApiKey", "api-key"), "ConsumersUpdated")


def events(tenant, reason):
    return [event["note"] for event in tenant.all_events() if event["reason"] == reason]


def test_a_rotation_restarts_what_uses_the_key_in_order_and_ends_the_old_one(tenant, operator):
    operator()
    tenant.api_key(rotation={"overlap": "1s"})
    first = tenant.wait_ready("DeepgramApiKey", "api-key")["status"]["id"]
    names = ["deepgram-api", "deepgram-engine", "deepgram-license-proxy", "other"]
    for name in names:
        deployment(tenant, name)
    deployment(tenant, "bystander", secret="someone-elses")
    before = {name: {p["metadata"]["uid"] for p in wait_running(tenant, name, 2)} for name in names}
    rotate(tenant, "one")
    order, shown = [], []

    def done():
        for name in names:
            if name not in order and template_marker(tenant, name) == "2":
                order.append(name)
        found = tenant.find("DeepgramApiKey", "api-key")
        shown.append(found["status"])
        assert condition(found, "Ready")["status"] == "True", found["status"]
        assert condition(found, "Reconciling") is None
        there = condition(found, "ConsumersUpdated")
        assert there["status"] == "True" and found["status"]["revision"] == 2, there
        return found

    found = wait_for(done, 120, "all is rolled out", interval=0.05)
    worries = [status for status in shown if "NotReady" in str(status)]
    assert not worries, worries[0]  # pods that start are none
    assert order == ["deepgram-license-proxy", "deepgram-engine", "deepgram-api", "other"]
    for name in names:
        after = wait_running(tenant, name, 2)
        assert not before[name] & {p["metadata"]["uid"] for p in after}
        assert {p["metadata"]["annotations"][MARKER] for p in after} == {"2"}
    assert template_marker(tenant, "bystander") is None
    assert [(c["name"], c["revision"], c["pods"], c["updatedPods"], c["state"])
            for c in found["status"]["consumers"]] == [(n, 2, 2, 2, "Updated") for n in order]
    wait_for(lambda: first not in tenant.live(), 30, "the old key is revoked")
    assert len(tenant.creates()) == 2
    assert len(events(tenant, "Restarting")) == 4 and len(events(tenant, "RolledOut")) == 1


def test_a_change_that_pods_fail_on_is_taken_back_and_the_next_try_succeeds(tenant, operator):
    running = operator()
    tenant.api_key(rotation={"overlap": "1s"}, rollout={"timeout": "10s"})
    first = tenant.wait_ready("DeepgramApiKey", "api-key")["status"]["id"]
    deployment(tenant, "deepgram-license-proxy", replicas=1)
    deployment(tenant, "deepgram-engine", replicas=2,
               annotations={"kwok.deepgram.com/crash-when": f"{MARKER}=2"})
    wait_running(tenant, "deepgram-license-proxy", 1)
    good = {p["metadata"]["uid"] for p in wait_running(tenant, "deepgram-engine", 2)}
    time.sleep(1.1)  # times in Kubernetes have whole seconds: these pods are older than what comes
    tenant.patch("DeepgramApiKey", "api-key", {"spec": {"comment": "another"}})
    taken = tenant.wait_condition("DeepgramApiKey", "api-key", "ConsumersUpdated", "False",
                                  "RolledBack", timeout=90)
    assert "deepgram-engine" in taken["message"] and "CrashLoopBackOff" in taken["message"]

    def back():
        found = tenant.find("DeepgramApiKey", "api-key")
        assert condition(found, "Ready")["status"] == "True"
        assert found["status"]["id"] == first and found["status"]["revision"] == 1
        # The spec as it is now isn't carried out yet.
        assert condition(found, "Reconciling")["reason"] == "RolledBack"
        assert kstatus(found) == "InProgress"
        return template_marker(tenant, "deepgram-engine") is None

    wait_for(back, 30, "the first key is back")
    assert {p["metadata"]["uid"] for p in wait_running(tenant, "deepgram-engine", 2)} == good
    wait_for(lambda: tenant.live() == [first], 60, "the failed key is revoked")
    assert running.metrics().value("deepgram_operator_rollbacks_total") == 1
    assert len(events(tenant, "RolledBack")) == 1
    assert len(tenant.creates()) == 2

    rotate(tenant, "now")
    tenant.wait_condition("DeepgramApiKey", "api-key", "ConsumersUpdated", "True", timeout=120)
    wait_for(lambda: first not in tenant.live(), 30, "the old key is revoked")
    found = tenant.find("DeepgramApiKey", "api-key")
    assert found["status"]["revision"] == 3 and kstatus(found) == "Current"
    assert len(tenant.creates()) == 3
