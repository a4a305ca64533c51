"""spec.serviceAccounts: the pull Secret among the imagePullSecrets of ServiceAccounts, and of the pods
that the API server makes of them. What others put there stays, in their order.
"""

import threading
import time

import pytest

import operator_process
from accounts import FOREIGN, PULL, UPDATED, Accounts
from checks import balanced
from polling import wait_for
from resources import condition


@pytest.fixture
def tenant(control_plane, shared_emulator, shared_operator, namespace):
    found = Accounts(control_plane, shared_emulator, namespace)
    found.put_admin_secret()
    return found


@pytest.fixture
def issued(tenant):
    """A pull Secret `it` whose entry is in the account `engine`, behind two of other people."""
    tenant.account("engine", FOREIGN)
    tenant.pull_secret("it", serviceAccounts=["engine"])
    tenant.wait_ready(PULL, "it")
    tenant.wait_entries("engine", "one", "two", "it")
    tenant.wait_told("True", "Updated")
    return tenant


# ---- in ----


def test_accounts_get_the_secret_once_behind_what_others_put_there(tenant):
    mark = tenant.plane.audit_mark()
    tenant.account("engine", FOREIGN)
    tenant.account("api")
    tenant.pull_secret("it", serviceAccounts=["engine", "api"])
    tenant.wait_ready(PULL, "it")
    tenant.wait_entries("engine", "one", "two", "it")
    tenant.wait_entries("api", "it")
    assert "every ServiceAccount" in tenant.wait_told("True", "Updated")
    assert tenant.noted() == [("engine", "it"), ("api", "it")]
    assert len(tenant.writes(mark)) == 2
    assert balanced(tenant)


def test_nothing_is_put_in_before_there_is_a_secret(tenant, shared_emulator):
    tenant.account("engine")
    fault = {"status": 503, "count": -1, "project_id": tenant.project_id}
    tenant.emulator.add_fault("create_credentials", "status", **fault)
    tenant.pull_secret("it", serviceAccounts=["engine"])
    tenant.wait_condition(PULL, "it", "Ready", "False", "UnknownOutcome")
    time.sleep(1)
    assert tenant.entries("engine") == []
    tenant.emulator.clear_faults()
    tenant.set(comment="again")
    tenant.wait_entries("engine", "it", timeout=20)


def test_pods_of_the_account_carry_the_secret(issued):
    pods = f"/api/v1/namespaces/{issued.namespace}/pods"
    pod = issued.client.post(pods, {
        "metadata": {"name": "engine"},
        "spec": {"serviceAccountName": "engine", "containers": [{"name": "it", "image": "it"}]}})
    assert pod["spec"]["imagePullSecrets"] == [*FOREIGN, {"name": "it"}]


def test_an_account_that_comes_later_gets_the_secret_then(tenant):
    tenant.account("api")
    tenant.pull_secret("it", serviceAccounts=["engine", "api"])
    tenant.wait_ready(PULL, "it")
    message = tenant.wait_told("False", "ServiceAccountNotFound")
    assert "ServiceAccount engine doesn't exist" in message and "create it" in message
    tenant.wait_entries("api", "it")
    assert condition(tenant.find(PULL, "it"), "Ready")["status"] == "True"
    tenant.account("engine", FOREIGN)
    tenant.wait_entries("engine", "one", "two", "it", timeout=1)
    tenant.wait_told("True", "Updated")
    warnings = [event for event in tenant.all_events()
                if event["type"] == "Warning" and event["regarding"]["name"] == "it"]
    assert [(event["reason"], event["note"]) for event in warnings] == [
        ("ServiceAccountNotFound", message)]


def test_an_account_that_is_made_anew_gets_the_secret_again(issued):
    issued.client.delete(issued.account_path("engine"))
    issued.wait_told("False", "ServiceAccountNotFound")
    assert issued.noted() == []
    issued.account("engine")
    issued.wait_entries("engine", "it", timeout=1)
    issued.wait_told("True", "Updated")


def test_an_entry_that_somebody_takes_out_is_put_back(issued):
    issued.client.patch(issued.account_path("engine"), {"imagePullSecrets": FOREIGN})
    issued.wait_entries("engine", "one", "two", "it", timeout=1)


def test_two_pull_secrets_share_an_account(tenant):
    tenant.account("engine")
    for name in ("first", "second"):
        tenant.pull_secret(name, serviceAccounts=["engine"])
    for name in ("first", "second"):
        tenant.wait_ready(PULL, name)
    wait_for(lambda: {entry["name"] for entry in tenant.entries("engine")} == {"first", "second"}, 5,
             "both are there")
    tenant.delete(PULL, "first")
    tenant.wait_entries("engine", "second")


def test_an_account_that_changes_all_the_time_gets_the_secret_and_keeps_the_changes(tenant):
    tenant.account("engine", FOREIGN)
    stop = threading.Event()
    count = 0

    def change():
        nonlocal count
        while not stop.is_set():
            count += 1
            tenant.client.patch(tenant.account_path("engine"),
                                {"metadata": {"labels": {"count": str(count)}}})

    writer = threading.Thread(target=change)
    writer.start()
    try:
        tenant.pull_secret("it", serviceAccounts=["engine"])
        tenant.wait_ready(PULL, "it")
        tenant.wait_entries("engine", "one", "two", "it", timeout=20)
        tenant.set(serviceAccounts=[])
        tenant.wait_entries("engine", "one", "two", timeout=20)
    finally:
        stop.set()
        writer.join()
    account = tenant.client.get(tenant.account_path("engine"))
    assert account["metadata"]["labels"] == {"count": str(count)}


# ---- left alone ----


def test_an_entry_that_was_there_before_is_neither_doubled_nor_taken_out(tenant):
    entries = [{"name": "it"}, {"name": "one"}]
    tenant.account("engine", entries)
    mark = tenant.plane.audit_mark()
    tenant.pull_secret("it", serviceAccounts=["engine"])
    tenant.wait_ready(PULL, "it")
    tenant.wait_told("True", "Updated")
    assert tenant.noted() == []
    tenant.delete(PULL, "it")
    tenant.wait_gone(PULL, "it")
    assert tenant.entries("engine") == entries
    assert tenant.writes(mark) == []


def test_a_rotation_changes_no_account(issued):
    mark = issued.plane.audit_mark()
    issued.patch(PULL, "it", {"metadata": {"annotations": {"deepgram.com/rotate": "now"}}})
    wait_for(lambda: issued.find(PULL, "it")["status"]["revision"] == 2, 10, "it is rotated")
    issued.wait_ready(PULL, "it")
    time.sleep(1)
    assert issued.writes(mark) == []
    assert issued.entries("engine") == [*FOREIGN, {"name": "it"}]


def test_a_suspended_resource_changes_no_account(issued):
    issued.set(suspend=True)
    issued.wait_condition(PULL, "it", "Ready", "True", "Suspended")
    issued.client.patch(issued.account_path("engine"), {"imagePullSecrets": FOREIGN})
    time.sleep(1)
    assert issued.entries("engine") == FOREIGN
    issued.set(suspend=False)
    issued.wait_entries("engine", "one", "two", "it", timeout=2)


# ---- out ----


def test_an_account_that_is_no_longer_named_loses_the_secret_and_nothing_else(issued):
    issued.account("api")
    issued.set(serviceAccounts=["api"])
    issued.wait_entries("api", "it")
    issued.wait_entries("engine", "one", "two")
    wait_for(lambda: issued.noted() == [("api", "it")], 5, "that is noted")
    issued.set(serviceAccounts=None)
    issued.wait_entries("api")
    wait_for(lambda: issued.noted() == [], 5, "that is noted")
    wait_for(lambda: condition(issued.find(PULL, "it"), UPDATED) is None, 5, "nothing is told")


def test_another_name_of_the_secret_takes_the_place_of_the_old_one(issued):
    issued.set(secret={"name": "other"})
    issued.wait_entries("engine", "one", "two", "other")
    wait_for(lambda: issued.secret("it") is None, 10, "the old Secret is gone")
    wait_for(lambda: issued.noted() == [("engine", "other")], 5, "that is noted")
    assert issued.wait_told("True", "Updated")


def test_a_deletion_takes_the_entry_out_before_the_secret_goes(issued):
    mark = issued.plane.audit_mark()
    issued.delete(PULL, "it")
    issued.wait_gone(PULL, "it")
    assert issued.entries("engine") == FOREIGN
    done = [(event["verb"], event["objectRef"]["resource"])
            for event in issued.plane.audit(mark, operator_process.USER)
            if event["objectRef"].get("name") in ("engine", "it")]
    assert done.index(("patch", "serviceaccounts")) < done.index(("delete", "secrets"))


def test_a_deletion_that_waits_for_pods_lets_no_further_pod_have_the_secret(issued):
    pods = f"/api/v1/namespaces/{issued.namespace}/pods"
    body = {"spec": {"serviceAccountName": "engine", "containers": [{"name": "it", "image": "it"}]}}
    issued.client.post(pods, {**body, "metadata": {"name": "before"}})
    issued.delete(PULL, "it")
    issued.wait_condition(PULL, "it", "Ready", "False", "InUse")
    issued.wait_entries("engine", "one", "two")
    after = issued.client.post(pods, {**body, "metadata": {"name": "after"}})
    assert after["spec"]["imagePullSecrets"] == FOREIGN
    issued.client.delete(f"{pods}/before", {"gracePeriodSeconds": 0})
    issued.wait_gone(PULL, "it")


def test_retain_leaves_the_entry_and_the_secret(issued):
    issued.set(deletionPolicy="Retain")
    issued.wait_ready(PULL, "it")
    issued.delete(PULL, "it")
    issued.wait_gone(PULL, "it")
    assert issued.entries("engine") == [*FOREIGN, {"name": "it"}]
    assert issued.secret("it") is not None


# ---- other writers ----


def test_a_second_writer_is_told_after_a_few_rounds(issued):
    stop = threading.Event()

    def take_out():
        while not stop.is_set():
            if issued.entries("engine") != FOREIGN:
                issued.client.patch(issued.account_path("engine"), {"imagePullSecrets": FOREIGN})
            time.sleep(0.01)

    mark = issued.plane.audit_mark()
    writer = threading.Thread(target=take_out)
    writer.start()
    try:
        message = issued.wait_told("False", "ServiceAccountConflict")
        for words in ("Secret it", "ServiceAccount engine", "--show-managed-fields",
                      "take the account off spec.serviceAccounts"):
            assert words in message
        time.sleep(2)
    finally:
        stop.set()
        writer.join()
    assert 3 <= len(issued.writes(mark)) <= 10
    assert condition(issued.find(PULL, "it"), "Ready")["status"] == "True"
    issued.wait_entries("engine", "one", "two", "it", timeout=40)
    issued.wait_told("True", "Updated")
