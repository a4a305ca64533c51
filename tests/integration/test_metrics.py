"""The metrics tell what happened, no more and no less: held against the logs of Deepgram and of the API
server. promtool finds nothing wrong, and each panel of the dashboard shows something."""

import json
import re
import time
from collections import Counter
from datetime import datetime

from checks import resources
from controlplane import REPOSITORY
from operator_process import USER
from polling import wait_for
from prometheus import JOB, Prometheus, check_metrics

KEY, PULL = "DeepgramApiKey", "DeepgramPullSecret"
DASHBOARD = REPOSITORY / "helm" / "deepgram-operator" / "files" / "dashboard.json"
README = REPOSITORY / "README.md"
METHODS = {"get": "GET", "list": "GET", "watch": "GET", "create": "POST", "update": "PUT",
           "patch": "PATCH", "delete": "DELETE"}
OPERATIONS = {f"{theirs}_{what}": ours for what in ("key", "keys", "credentials") for theirs, ours in (
    ("create", "create"), ("list", "list"), ("get", "get"), ("delete", "revoke"))}
OPERATIONS["auth_token"] = "check"
OPERATIONS["registry_auth"] = "pull_token"
FLAGS = ("--settle=2s", "--leader-elect=false", "--inventory-interval=5s")
ROTATE = {"metadata": {"annotations": {"deepgram.com/rotate": "now"}}}


def grouped(metrics, name, *labels):
    """{label values: value}, without zeros."""
    found = Counter()
    for sample, sample_labels, value in metrics.samples:
        if sample == name and value:
            found[tuple(sample_labels[label] for label in labels)] += value
    return found


def counter(process, name, kind):
    return process.metrics().value(f"deepgram_operator_{name}_total", kind=kind)


def busy_day(tenant):
    """Three keys and two pull credentials; one key and both credentials are rotated; two creates of
    keys are lost; two are refused; one resource of each kind goes."""
    for name in ("a", "b", "c"):
        tenant.api_key(name, rotation={"overlap": "1s"}, validFor="720h")
    for name in ("p", "q"):
        tenant.pull_secret(name, rotation={"overlap": "1s", "every": "720h"},
                           verify={"repository": "deepgram/self-hosted-api"})
    for kind, name in ((KEY, "a"), (KEY, "b"), (KEY, "c"), (PULL, "p"), (PULL, "q")):
        tenant.wait_ready(kind, name)
    tenant.emulator.add_fault("create_key", "lost", count=2)
    tenant.patch(KEY, "a", ROTATE)
    wait_for(lambda: states(tenant, KEY, "a") == ["Current", "Revoked"], 30, "a is rotated")
    for name in ("p", "q"):
        tenant.patch(PULL, name, ROTATE)
        wait_for(lambda: states(tenant, PULL, name) == ["Current", "Revoked"], 30,
                 f"{name} is rotated")
    tenant.emulator.add_fault("create_credentials", "status", status=429, count=1)
    tenant.emulator.add_fault("create_credentials", "status", status=503, count=1)
    tenant.pull_secret("r")
    tenant.wait_ready(PULL, "r")
    for kind, name in ((KEY, "b"), (PULL, "p")):
        tenant.delete(kind, name)
        tenant.wait_gone(kind, name)


def states(tenant, kind, name):
    revisions = tenant.find(kind, name)["status"]["revisions"]
    return sorted(entry["state"] for entry in revisions)


def deepgram_requests(emulator):
    return Counter((OPERATIONS[request["operation"]], str(request["status"]))
                   for request in emulator.requests())


def kubernetes_requests(control_plane, mark):
    return Counter((METHODS[event["verb"]], event["objectRef"]["resource"],
                    str(event["responseStatus"]["code"]))
                   for event in control_plane.audit(mark, USER))


def test_each_counter_is_what_happened(control_plane, tenant, operator):
    mark = control_plane.audit_mark()
    process = operator(*FLAGS)
    assert counter(process, "credentials_issued", KEY) == 0  # there before the first event
    busy_day(tenant)

    def exact():
        metrics = process.metrics()
        told = grouped(metrics, "deepgram_operator_deepgram_requests_total", "operation", "code")
        assert told == deepgram_requests(tenant.emulator)
        timed = grouped(metrics, "deepgram_operator_deepgram_request_duration_seconds_count",
                        "operation")
        assert sum(timed.values()) == sum(told.values())
        told = grouped(metrics, "deepgram_operator_kubernetes_requests_total", "verb", "resource",
                       "code")
        assert told == kubernetes_requests(control_plane, mark)
        timed = grouped(metrics, "deepgram_operator_kubernetes_request_duration_seconds_count",
                        "verb")
        assert sum(timed.values()) == sum(told.values())
        passes = metrics.value("deepgram_operator_reconciles_total")
        assert metrics.value("workqueue_work_duration_seconds_count") == passes
        taken = metrics.value("workqueue_queue_duration_seconds_count")
        # Marking an admin Secret is taken from the queue too; what turns up during a pass may be
        # dealt with in it.
        assert passes < taken <= metrics.value("workqueue_adds_total"), (passes, taken)
        return True

    wait_for(exact, 10, "requests are counted as the others saw them")
    metrics = process.metrics()
    for name, keys, pulls in (
            ("credentials_issued", 4, 5), ("credentials_rotated", 1, 2),
            ("credentials_revoked", 4, 3), ("credentials_orphaned", 2, 0),
            ("unknown_outcomes", 2, 1)):
        for kind, count in ((KEY, keys), (PULL, pulls)):
            assert metrics.value(f"deepgram_operator_{name}_total", kind=kind) == count, (name, kind)
    assert metrics.value("deepgram_operator_events_failed_total") == 0
    assert metrics.value("deepgram_operator_leader") == 1
    assert metrics.value("workqueue_depth", name="resources") == 0


def results(process):
    return grouped(process.metrics(), "deepgram_operator_reconciles_total", "kind", "result")


def test_a_pass_counts_as_failed_when_something_failed_in_it_and_not_while_it_is_waited_for(
        tenant, operator):
    process = operator(*FLAGS)
    for kind, operation, count in ((KEY, "create_key", 3), (PULL, "create_credentials", 2)):
        tenant.emulator.add_fault(operation, "status", status=429, count=count,
                                  headers={"Retry-After": "2"})
        tenant.create(kind, kind.lower())
    touched = 0
    while any(fault["remaining"] for fault in tenant.emulator.faults()):
        for kind in (KEY, PULL):  # another pass, in which nothing is tried
            tenant.patch(kind, kind.lower(), {"metadata": {"labels": {"touched": str(touched)}}})
        touched += 1
        time.sleep(0.3)
    for kind, count in ((KEY, 3), (PULL, 2)):
        tenant.wait_ready(kind, kind.lower())
        passes = results(process)
        assert passes[kind, "failed"] == count, passes
        # A pass that fails may have been asked for by a touch too.
        assert passes[kind, "done"] >= touched - count, passes


def complete_lists(control_plane, mark):
    return Counter(event["objectRef"]["resource"] for event in control_plane.audit(mark, USER)
                   if event["verb"] == "watch" and "sendInitialEvents" in event["requestURI"]
                   and event["responseStatus"]["code"] == 200)


def test_each_list_that_a_forgotten_history_needs_is_counted(
        control_plane, tenant, operator, proxy):
    mark = control_plane.audit_mark()
    process = operator("--leader-elect=false", server=proxy.url)
    for turn in (1, 2):
        proxy.refuse()
        tenant.api_key(f"key-{turn}")
        control_plane.compact_etcd()
        control_plane.restart_apiserver()
        proxy.accept()
        tenant.wait_ready(KEY, f"key-{turn}", timeout=30)
    wait_for(lambda: process.get("/readyz").is_success, 10, "it has all that it needs")
    relists = grouped(process.metrics(), "deepgram_operator_watch_relists_total", "resource")
    assert relists["deepgramapikeys",] == 2, relists
    process.stop()  # the API server logs a watch when it is over
    lists = complete_lists(control_plane, mark)
    assert {resource: count + 1 for (resource,), count in relists.items()} == {
        resource: count for resource, count in lists.items() if count > 1}


def test_events_that_the_api_server_refuses_are_counted(control_plane, tenant, operator):
    process = operator(*FLAGS)
    tenant.api_key()
    tenant.wait_ready(KEY, "api-key")
    mark = control_plane.audit_mark()
    control_plane.client.delete(f"/api/v1/namespaces/{tenant.namespace}")
    tenant.wait_gone(KEY, "api-key")
    time.sleep(0.5)
    refused = [event for event in control_plane.audit(mark, USER)
               if event["objectRef"]["resource"] == "events" and event["responseStatus"]["code"] == 403]
    assert refused
    assert process.metrics().value("deepgram_operator_events_failed_total") == len(refused)


def test_each_resource_shows_when_it_ends(tenant, operator):
    process = operator(*FLAGS)
    tenant.api_key("ends", validFor="720h")
    tenant.api_key("stays")
    tenant.wait_ready(KEY, "ends")
    tenant.wait_ready(KEY, "stays")
    tenant.put_admin_secret("x" * 40, name="wrong")
    tenant.pull_secret("fails", credentialsRef={"name": "wrong"})
    tenant.wait_condition(PULL, "fails", "Stalled", "True")
    labels = {"namespace": tenant.namespace}
    metrics = process.metrics()

    def value(metric, **more):
        return metrics.value(f"deepgram_operator_{metric}", **labels, **more)

    assert value("resource_ready", kind=KEY, name="ends") == 1
    assert value("resource_ready", kind=PULL, name="fails") == 0
    status = tenant.find(KEY, "ends")["status"]
    for what, field in (("credential_expiry", "expiresAt"), ("next_rotation", "nextRotationAt")):
        assert value(f"{what}_timestamp_seconds", kind=KEY, name="ends") == seconds(status[field])
        assert value(f"{what}_timestamp_seconds", kind=KEY, name="stays") is None
    tenant.delete(KEY, "ends")
    tenant.wait_gone(KEY, "ends")
    metrics = process.metrics()
    assert value("resource_ready", name="ends") is None
    assert value("resource_ready", name="stays") == 1


def seconds(text):
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def panels():
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"].replace("$job", JOB)


def test_promtool_and_the_dashboard_over_a_busy_day(tenant, operator, tmp_path):
    process = operator(*FLAGS)
    with Prometheus(process.url, tmp_path) as prometheus:
        busy_day(tenant)
        tenant.put_admin_secret("x" * 40)
        tenant.api_key("fails")
        tenant.wait_condition(KEY, "fails", "Stalled", "True")
        prometheus.wait_scrapes(2)
        empty = [(title, expression) for title, expression in panels()
                 if not prometheus.query(expression)]
    assert not empty
    page = process.metrics().text
    assert check_metrics(page) == ""
    undocumented = set(re.findall(r"^# TYPE (\S+)", page, re.MULTILINE)) - set(
        re.findall(r"^\| `(\w+)` \|", README.read_text(), re.MULTILINE))
    assert not undocumented
    assert resources(tenant)
