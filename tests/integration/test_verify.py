"""New credentials are tried out before anybody gets them: what fails is revoked, and said."""

import time

import pytest

from checks import balanced, no_secret_written, no_trouble, trouble
from polling import wait_for
from process import free_port
from resources import condition, docker_login

KEY = "DeepgramApiKey"
PULL = "DeepgramPullSecret"
REPOSITORY = "deepgram/self-hosted-api"


def nothing_alive(tenant):
    wait_for(lambda: not tenant.live(), 5, "what wasn't asked for is revoked")


# ---- what was granted ----


def test_scopes_may_be_spelled_out_and_repeated_under_their_older_name(tenant, operator):
    operator()
    tenant.emulator.settings(expand_scopes=True, repeat_onprem=True)
    for kind, name in ((KEY, "api-key"), (PULL, "regcred")):
        tenant.create(kind, name)
        found = no_trouble_of(tenant.wait_ready(kind, name))
        assert "onprem:product:engine" in found["status"]["scopes"]
    assert len(tenant.creates()) == 2


def no_trouble_of(resource):
    no_trouble(resource)
    return resource


@pytest.mark.parametrize("kind", [KEY, PULL])
def test_less_than_was_asked_for_is_revoked_and_never_published(tenant, operator, kind):
    operator()
    tenant.emulator.settings(grant_scope="self-hosted:product:billing")
    tenant.create(kind, "resource", scopes=["self-hosted:product:api"])
    message = trouble(tenant, kind, "resource", "NotGranted", "asked for the scopes self-hosted:",
                      "granted self-hosted:product:billing", "revoked and not published")
    assert "revoked" in message
    nothing_alive(tenant)
    wait_for(lambda: len(tenant.secrets()) == 1, 5, "its revision Secret goes")
    no_secret_written(tenant)
    found = tenant.find(kind, "resource")
    assert found["status"]["failures"] == 1 and found["status"]["nextAttemptAt"]
    time.sleep(5)
    assert len(tenant.creates()) == 1  # the next one a minute later
    tenant.emulator.settings(grant_scope="")
    tenant.patch(kind, "resource", {"spec": {"scopes": ["self-hosted:product:engine"]}})
    no_trouble(tenant.wait_ready(kind, "resource"))
    assert len(tenant.creates()) == 2
    assert balanced(tenant)


def test_a_restart_waits_as_long_and_writes_nothing(tenant, operator):
    first = operator()
    tenant.emulator.settings(grant_scope="usage:read")
    tenant.api_key()
    trouble(tenant, KEY, "api-key", "NotGranted")
    nothing_alive(tenant)
    before = tenant.find(KEY, "api-key")
    first.stop()
    operator()
    time.sleep(3)
    after = tenant.find(KEY, "api-key")
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    assert len(tenant.creates()) == 1


@pytest.mark.parametrize("spec", [{}, {"validFor": "720h"}, {"expiresAt": "2099-01-01T00:00:00Z"}])
def test_another_expiry_than_asked_for_is_told(tenant, operator, spec):
    operator()
    tenant.emulator.settings(grant_seconds=3600)
    tenant.api_key(**spec)
    trouble(tenant, KEY, "api-key", "NotGranted", "asked for the expiry", "granted 20")
    nothing_alive(tenant)
    no_secret_written(tenant)


def test_a_rotation_that_brings_too_little_leaves_the_old_key_in_place(tenant, operator):
    operator()
    tenant.api_key()
    old = tenant.wait_ready(KEY, "api-key")["status"]["id"]
    value = tenant.data("api-key")
    tenant.emulator.settings(grant_scope="member")
    tenant.patch(KEY, "api-key", {"metadata": {"annotations": {"deepgram.com/rotate": "1"}}})
    told = tenant.wait_condition(KEY, "api-key", "Ready", "True", "Published")

    def said():
        told = condition(tenant.find(KEY, "api-key"), "Ready")
        assert "granted member" in told["message"] and old in told["message"]
        return True

    wait_for(said, 5, "the message says so")
    wait_for(lambda: tenant.live() == [old], 5, "the new one is revoked, the old one lives")
    assert tenant.data("api-key") == value and told
    tenant.emulator.settings(grant_scope="")
    tenant.patch(KEY, "api-key", {"metadata": {"annotations": {"deepgram.com/rotate": "2"}}})
    wait_for(lambda: tenant.data("api-key") != value, 5, "the next one is published")
    assert len(tenant.creates()) == 3


# ---- the registry ----


def asked(tenant):
    return tenant.emulator.requests(operation="registry_auth")


def test_pull_credentials_get_a_token_before_they_are_published(tenant, operator):
    operator()
    tenant.pull_secret(verify={"repository": REPOSITORY})
    found = no_trouble_of(tenant.wait_ready(PULL, "regcred"))
    [request] = asked(tenant)
    assert request["status"] == 200
    assert f"scope=repository:{REPOSITORY}:pull" in request["query"]
    assert request["credential_id"] == found["status"]["id"]
    user, _ = docker_login(tenant.data("regcred")[".dockerconfigjson"])
    assert user == f"deepgram+{found['status']['id']}"


def test_the_registry_is_not_asked_unless_wanted(tenant, operator):
    operator()
    tenant.pull_secret()
    tenant.wait_ready(PULL, "regcred")
    assert asked(tenant) == []


def test_credentials_that_may_not_pull_are_revoked_after_half_a_minute(tenant, operator):
    operator()
    tenant.pull_secret(verify={"repository": REPOSITORY}, scopes=["self-hosted:product:engine"])
    trouble(tenant, PULL, "regcred", "NotAccepted", "no right to pull from", REPOSITORY,
            state="Reconciling")
    assert len(tenant.live()) == 1 and len(tenant.secrets()) == 2
    trouble(tenant, PULL, "regcred", "RegistryRefused", "no right to pull from", REPOSITORY,
            "revoked", timeout=45)
    nothing_alive(tenant)
    wait_for(lambda: len(tenant.secrets()) == 1, 5, "its revision Secret goes")
    assert len(tenant.creates()) == 1
    tenant.patch(PULL, "regcred", {"spec": {"scopes": ["self-hosted:product:api"]}})
    no_trouble(tenant.wait_ready(PULL, "regcred"))
    assert len(tenant.creates()) == 2


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 503}, {"kind": "reset"},
                                   {"kind": "html"}, {"kind": "garbage"}])
def test_a_registry_that_fails_is_asked_again_and_nothing_is_thrown_away(tenant, operator, fault):
    operator()
    tenant.emulator.add_fault("registry_auth", **fault, count=-1)
    tenant.pull_secret(verify={"repository": REPOSITORY})
    trouble(tenant, PULL, "regcred", "RegistryUnavailable", "registry", state="Reconciling")
    assert len(tenant.live()) == 1
    tenant.emulator.clear_faults()
    no_trouble(tenant.wait_ready(PULL, "regcred"))
    assert len(tenant.creates()) == 1


def test_a_registry_that_is_down_is_waited_for(tenant, operator):
    process = operator(f"--registry-url=http://127.0.0.1:{free_port()}")
    tenant.pull_secret(verify={"repository": REPOSITORY})
    trouble(tenant, PULL, "regcred", "RegistryUnavailable", "can't be reached",
            state="Reconciling")
    process.stop()
    operator()
    no_trouble(tenant.wait_ready(PULL, "regcred"))
    assert len(tenant.creates()) == 1
