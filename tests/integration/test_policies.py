"""What a person may decide: suspend, deletionPolicy, whose credentials, a namespace's end."""

import time

import pytest

from checks import balanced, no_secret_written, no_trouble, resources, secret_names, trouble
from emulator import Emulator
from polling import wait_for
from process import free_port
from resources import ADMIN_SECRET, IN_USE, Tenant, condition

KEY = "DeepgramApiKey"
PULL = "DeepgramPullSecret"
SYSTEM = "deepgram-operator-system"
DEFAULT_SECRET = "deepgram-default"


# ---- suspend ----


def test_a_suspended_resource_is_left_as_it_is_and_goes_on_when_resumed(tenant, operator):
    operator()
    for kind, name in ((KEY, "api-key"), (PULL, "regcred")):
        tenant.create(kind, name, suspend=True)
        told = tenant.wait_condition(kind, name, "Ready", "False", "Suspended")
        assert "spec.suspend is true" in told["message"] and "nothing is issued" in told["message"]
        found = tenant.find(kind, name)
        assert condition(found, "Stalled") is None and condition(found, "Reconciling") is None
    time.sleep(1)
    assert tenant.emulator.requests() == []
    no_secret_written(tenant)
    assert not tenant.secret(ADMIN_SECRET)["metadata"].get("finalizers")
    for kind, name in ((KEY, "api-key"), (PULL, "regcred")):
        tenant.patch(kind, name, {"spec": {"suspend": False}})
        no_trouble(tenant.wait_ready(kind, name, timeout=3))
    assert len(tenant.creates()) == 2
    assert balanced(tenant)


def test_a_published_resource_stays_ready_while_suspended_and_is_not_healed(tenant, operator):
    operator()
    tenant.api_key()
    tenant.wait_ready(KEY, "api-key")
    tenant.patch(KEY, "api-key", {"spec": {"suspend": True}})
    told = tenant.wait_condition(KEY, "api-key", "Ready", "True", "Suspended")
    assert "is in Secret api-key" in told["message"] and "spec.suspend" in told["message"]
    tenant.client.patch(tenant.secret_path("api-key"), {"data": {"x": "eA=="}})
    time.sleep(1)
    assert "x" in tenant.data("api-key")
    tenant.patch(KEY, "api-key", {"spec": {"suspend": False}})
    wait_for(lambda: list(tenant.data("api-key")) == ["DEEPGRAM_API_KEY"], 3, "it is healed")
    tenant.wait_condition(KEY, "api-key", "Ready", "True", "Published")
    assert len(tenant.creates()) == 1
    assert balanced(tenant)


# ---- deletionPolicy ----


@pytest.mark.parametrize("propagation", ["Background", "Foreground"])
def test_retained_secrets_and_credentials_survive_their_resource(tenant, operator, propagation):
    operator()
    ids = []
    for kind, name in ((KEY, "api-key"), (PULL, "regcred")):
        tenant.create(kind, name, deletionPolicy="Retain")
        ids.append(tenant.wait_ready(kind, name)["status"]["id"])
    names = secret_names(tenant)
    data = {name: tenant.data(name) for name in names}
    assert len(names) == 5  # the admin Secret, two targets and two revisions
    wait_for(lambda: sorted(owners(tenant)) == ["DeepgramApiKey", "DeepgramPullSecret", "Namespace"],
             5, "the namespace owns them too")
    for kind, name in ((KEY, "api-key"), (PULL, "regcred")):
        tenant.delete(kind, name, propagation)
        tenant.wait_gone(kind, name)
    time.sleep(2)  # the garbage collector would be faster
    assert secret_names(tenant) == names
    assert {name: tenant.data(name) for name in names} == data
    assert owners(tenant) == {"Namespace"}
    assert sorted(tenant.live()) == sorted(ids)
    assert tenant.emulator.requests(operation="delete_key") == []
    assert tenant.emulator.requests(operation="delete_credentials") == []
    wait_for(lambda: not tenant.secret(ADMIN_SECRET)["metadata"].get("finalizers"), 5,
             "the admin Secret is free")
    for kind, name in ((KEY, "api-key"), (PULL, "regcred")):
        tenant.create(kind, name)
        tenant.wait_ready(kind, name)
    assert sorted(tenant.live()) == sorted(ids)


def test_what_is_deleted_in_the_foreground_is_revoked_and_leaves_nothing(tenant, operator):
    operator()
    for kind, name in ((KEY, "api-key"), (PULL, "regcred")):
        tenant.create(kind, name)
        tenant.wait_ready(kind, name)
        tenant.delete(kind, name, "Foreground")
        tenant.wait_gone(kind, name, timeout=30)
    assert secret_names(tenant) == [ADMIN_SECRET]
    assert tenant.live() == []


def test_a_policy_that_becomes_retain_counts_for_the_secrets_that_are_there(tenant, operator):
    operator()
    tenant.api_key()
    key = tenant.wait_ready(KEY, "api-key")["status"]["id"]
    assert owners(tenant) == {KEY}
    tenant.patch(KEY, "api-key", {"spec": {"deletionPolicy": "Retain"}})
    wait_for(lambda: all(len(secret["metadata"]["ownerReferences"]) == 2
                         for secret in owned(tenant)), 5, "the namespace owns both too")
    tenant.delete(KEY, "api-key", "Foreground")
    tenant.wait_gone(KEY, "api-key")
    time.sleep(2)
    assert len(owned(tenant)) == 2 and owners(tenant) == {"Namespace"}
    assert tenant.live() == [key]


def owned(tenant):
    return [secret for secret in tenant.secrets() if secret["metadata"].get("ownerReferences")]


def owners(tenant):
    return {owner["kind"] for secret in owned(tenant)
            for owner in secret["metadata"]["ownerReferences"]}


# ---- the operator's own credentials ----


@pytest.fixture
def default_secret(control_plane, emulator):
    """The operator's default credentials, in its own namespace."""
    holder = Tenant(control_plane, emulator, SYSTEM)
    holder.put_admin_secret(name=DEFAULT_SECRET)
    yield holder
    control_plane.client.delete(holder.secret_path(DEFAULT_SECRET))


def test_default_credentials_serve_the_allowed_namespaces_up_to_the_highest_role(
        control_plane, emulator, operator, namespace, default_secret):
    operator(f"--default-credentials={SYSTEM}/{DEFAULT_SECRET}",
             f"--default-credentials-namespaces={namespace}", "--max-role=member")
    project = {"project_id": default_secret.project_id,
               "admin_keys": [{"key": "", "api_key_id": ""}]}
    allowed = Tenant(control_plane, emulator, namespace, project)
    other = Tenant(control_plane, emulator, "default", project)
    try:
        allowed.api_key("member", credentialsRef=None)
        allowed.pull_secret("regcred", credentialsRef=None)
        allowed.wait_ready(KEY, "member")
        allowed.wait_ready(PULL, "regcred")
        allowed.api_key("admin", credentialsRef=None, role="admin")
        message = trouble(allowed, KEY, "admin", "RoleNotAllowed", "spec.role admin", "--max-role",
                          "spec.credentialsRef")
        other.api_key("member", credentialsRef=None)
        message = trouble(other, KEY, "member", "CredentialsNotAllowed", "No spec.credentialsRef",
                          "namespace default", "--default-credentials-namespaces")
        assert DEFAULT_SECRET not in message
        assert len(allowed.creates()) == 2
        assert secret_names(other) == []
        allowed.patch(KEY, "admin", {"spec": {"role": "member"}})
        no_trouble(allowed.wait_ready(KEY, "admin", timeout=3))
        assert not default_secret.secret(DEFAULT_SECRET)["metadata"].get("finalizers")
        assert balanced(allowed)
    finally:
        other.delete(KEY, "member")


# ---- Deepgram out of reach ----


def test_an_unreachable_deepgram_is_told_and_used_as_soon_as_it_is_back(
        control_plane, operator, namespace):
    port = free_port()
    operator(f"--deepgram-url=http://127.0.0.1:{port}")
    with Emulator.start() as elsewhere:
        tenant = Tenant(control_plane, elsewhere, namespace)
        tenant.put_admin_secret()
        tenant.api_key()
        trouble(tenant, KEY, "api-key", "DeepgramUnavailable", "can't be reached", "tried again",
                state="Reconciling")
        no_secret_written(tenant)
    with Emulator.start(listen=f"127.0.0.1:{port}") as back:
        tenant.emulator = back
        back.add_project(tenant.project_id, [{"key": tenant.admin_key, "role": "owner"}])
        no_trouble(tenant.wait_ready(KEY, "api-key"))
        assert len(tenant.creates()) == 1
        assert balanced(tenant)


# ---- a namespace's end ----


def test_a_namespace_goes_with_its_resources_and_leaves_no_live_credential(tenant, operator):
    operator("--settle=2s")
    for index in range(3):
        tenant.api_key(f"api-key-{index}")
        tenant.pull_secret(f"regcred-{index}")
    for index in range(3):
        tenant.wait_ready(KEY, f"api-key-{index}")
        tenant.wait_ready(PULL, f"regcred-{index}")
    tenant.api_key("never", credentialsRef={"name": "nowhere"})
    tenant.wait_condition(KEY, "never", "Ready", "False", "CredentialsNotFound")
    assert IN_USE in tenant.secret(ADMIN_SECRET)["metadata"]["finalizers"]
    assert len(tenant.live()) == 6
    tenant.client.delete(f"/api/v1/namespaces/{tenant.namespace}")
    wait_for(lambda: tenant.client.find(f"/api/v1/namespaces/{tenant.namespace}") is None, 30,
             "the namespace is gone")
    assert tenant.live() == []
    assert len(tenant.creates()) == 6
    assert resources(tenant) == []


def test_a_namespace_that_goes_keeps_its_credentials_until_its_pods_have_gone(tenant, operator):
    operator("--settle=1s")
    tenant.api_key()
    tenant.wait_ready(KEY, "api-key")
    pods = f"/api/v1/namespaces/{tenant.namespace}/pods"
    tenant.client.post(pods, {
        "metadata": {"name": "draining", "finalizers": ["example.com/draining"]},
        "spec": {"containers": [{"name": "api", "image": "api",
                                 "envFrom": [{"secretRef": {"name": "api-key"}}]}]},
    })
    tenant.client.delete(f"/api/v1/namespaces/{tenant.namespace}")
    tenant.delete(KEY, "api-key")  # the namespace controller itself waits for the pods first
    told = tenant.wait_condition(KEY, "api-key", "Reconciling", "True", "InUse")
    assert "draining" in told["message"]
    assert len(tenant.live()) == 1
    tenant.client.patch(f"{pods}/draining", {"metadata": {"finalizers": None}})
    wait_for(lambda: tenant.client.find(f"/api/v1/namespaces/{tenant.namespace}") is None, 30,
             "the namespace is gone")
    assert tenant.live() == []
