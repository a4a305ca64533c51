"""spec.serviceAccounts, where it matters which process did what."""

import time

import pytest

import operator_process
from accounts import FOREIGN, PULL, Accounts


@pytest.fixture
def tenant(control_plane, emulator, namespace):
    found = Accounts(control_plane, emulator, namespace)
    found.put_admin_secret()
    return found


def watches_accounts(process):
    silence = "deepgram_operator_watch_silence_seconds"
    assert process.metrics().value(silence, resource="pods") is not None
    return process.metrics().value(silence, resource="serviceaccounts") is not None


def test_a_restart_changes_nothing(control_plane, tenant, operator):
    tenant.account("engine", FOREIGN)
    process = operator("--settle=2s")
    tenant.pull_secret("it", serviceAccounts=["engine", "missing"])
    tenant.wait_ready(PULL, "it")
    tenant.wait_told("False", "ServiceAccountNotFound")
    tenant.wait_entries("engine", "one", "two", "it")
    time.sleep(1)
    process.stop()
    mark = control_plane.audit_mark()
    process.start()
    time.sleep(3)
    assert watches_accounts(process)
    assert [event for event in control_plane.audit(mark, operator_process.USER)
            if event["verb"] not in ("get", "list", "watch") and
            event["objectRef"]["resource"] != "leases"] == []


def test_accounts_are_watched_only_once_somebody_needs_them(tenant, operator):
    process = operator("--settle=2s")
    tenant.pull_secret("it")
    tenant.wait_ready(PULL, "it")
    assert not watches_accounts(process)
    tenant.account("engine")
    tenant.set(serviceAccounts=["engine"])
    tenant.wait_entries("engine", "it")
    assert watches_accounts(process)


def test_what_was_changed_while_the_operator_was_down_is_put_right(tenant, operator):
    for name in ("engine", "api", "proxy"):
        tenant.account(name, FOREIGN)
    process = operator("--settle=2s")
    tenant.pull_secret("it", serviceAccounts=["engine", "api"])
    tenant.wait_ready(PULL, "it")
    tenant.wait_entries("api", "one", "two", "it")
    tenant.wait_entries("engine", "one", "two", "it")
    process.stop()
    tenant.client.patch(tenant.account_path("engine"), {"imagePullSecrets": FOREIGN})
    tenant.set(serviceAccounts=["engine", "proxy"])
    process.start()
    tenant.wait_entries("engine", "one", "two", "it")
    tenant.wait_entries("proxy", "one", "two", "it")
    tenant.wait_entries("api", "one", "two")
    process.stop()
    tenant.delete(PULL, "it")
    process.start()
    tenant.wait_gone(PULL, "it")
    for name in ("engine", "api", "proxy"):
        assert tenant.entries(name) == FOREIGN


def test_namespaces_that_are_named_have_watches_of_their_own(tenant, operator):
    operator("--settle=2s", f"--namespaces={tenant.namespace},default")
    tenant.pull_secret("it", serviceAccounts=["engine"])
    tenant.wait_ready(PULL, "it")
    tenant.wait_told("False", "ServiceAccountNotFound")
    tenant.account("engine")
    tenant.wait_entries("engine", "it", timeout=1)
