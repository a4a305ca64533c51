"""What people and accidents do to Secrets and credentials, and how it is mended without minting."""

import base64

import pytest

from polling import wait_for
from resources import ADMIN_SECRET, Tenant, docker_login

HEAL_S = 2


@pytest.fixture
def ready(tenant, operator):
    """One resource of each kind, Ready; the operator lists every second."""
    operator("--inventory-interval=1s", "--settle=1s")
    tenant.api_key("api-key")
    tenant.pull_secret("regcred")
    tenant.wait_ready("DeepgramApiKey", "api-key")
    tenant.wait_ready("DeepgramPullSecret", "regcred")
    return tenant


def revision_secrets(tenant):
    return [s["metadata"]["name"] for s in tenant.secrets()
            if s["type"] == "deepgram.com/credential"]


def test_a_lost_revision_secret_is_kept_again_from_the_target(ready):
    before = sorted(revision_secrets(ready))
    live = sorted(ready.live())
    for name in before:
        ready.client.delete(ready.secret_path(name))
    wait_for(lambda: sorted(revision_secrets(ready)) == before, 5, "the revision Secrets are back")
    for name in ("api-key", "regcred"):  # and they hold the value: the target heals from them
        value = ready.data(name)
        ready.client.delete(ready.secret_path(name))
        wait_for(lambda: ready.secret(name) and ready.data(name) == value, HEAL_S, f"{name} heals")
    assert len(ready.creates()) == 2 and sorted(ready.live()) == live


def test_target_and_revision_secret_lost_gives_one_create_and_revokes_the_old_one(
        tenant, operator):
    process = operator("--settle=1s")
    tenant.api_key("api-key")
    old = tenant.wait_ready("DeepgramApiKey", "api-key")["status"]["id"]
    process.pause()  # or it would heal one of them from the other
    tenant.client.delete(tenant.secret_path("api-key-dgkey-r1"))
    tenant.client.delete(tenant.secret_path("api-key"))
    process.resume()
    wait_for(lambda: tenant.secret("api-key"), 10, "another key is published")
    wait_for(lambda: tenant.find("DeepgramApiKey", "api-key")["status"]["id"] != old, 5, "noted")
    assert len(tenant.creates()) == 2
    new = tenant.find("DeepgramApiKey", "api-key")["status"]["id"]
    wait_for(lambda: tenant.live() == [new], 20, "only the new key is alive")


def test_a_key_revoked_in_the_console_is_replaced(ready):
    old = ready.find("DeepgramApiKey", "api-key")["status"]["id"]
    ready.emulator.revoke(old)
    new = wait_for(
        lambda: (now := ready.find("DeepgramApiKey", "api-key")["status"]["id"]) != old and now,
        15, "a new key is published")
    assert ready.data("api-key")["DEEPGRAM_API_KEY"] == ready.credential(new)["key"]
    assert len(ready.creates()) == 3
    assert any(e["reason"] == "CredentialLost" and old in e["note"] for e in ready.all_events())


def test_pull_credentials_revoked_in_the_console_are_replaced(ready):
    old = ready.find("DeepgramPullSecret", "regcred")["status"]["id"]
    ready.emulator.revoke(old)
    new = wait_for(
        lambda: (now := ready.find("DeepgramPullSecret", "regcred")["status"]["id"]) != old and now,
        15, "new credentials are published")
    username, _ = docker_login(ready.data("regcred")[".dockerconfigjson"])
    assert username == f"deepgram+{new}"


def test_a_failed_list_never_counts_as_gone(ready):
    ready.emulator.add_fault("list_keys", "status", count=3, status=500)
    ready.emulator.add_fault("list_keys", "html", count=1)
    wait_for(lambda: sum(f["fired"] for f in ready.emulator.faults()) >= 4, 60, "faults fired")
    assert len(ready.creates()) == 2


def test_a_wiped_status_comes_back_without_a_create(ready):
    before = ready.find("DeepgramApiKey", "api-key")["status"]
    path = ready.path("DeepgramApiKey", "api-key", "status")
    ready.client.patch(path, [{"op": "replace", "path": "/status", "value": {}}], type="json")

    def same():
        found = ready.find("DeepgramApiKey", "api-key")["status"]
        return found.get("id") == before["id"] and found.get("revision") == before["revision"]

    wait_for(same, 10, "the status is back")
    assert len(ready.creates()) == 2


def test_a_finalizer_taken_off_comes_back(ready):
    path = ready.path("DeepgramApiKey", "api-key")
    ready.client.patch(path, {"metadata": {"finalizers": None}})
    wait_for(lambda: "deepgram.com/revoke" in
             ready.client.get(path)["metadata"].get("finalizers", []), 5, "the finalizer is back")
    assert len(ready.creates()) == 2


def test_owner_references_taken_off_come_back(ready):
    names = ["api-key", *revision_secrets(ready)]
    for name in names:
        ready.client.patch(ready.secret_path(name), {"metadata": {"ownerReferences": None}})

    def owned():
        return all(ready.secret(n)["metadata"].get("ownerReferences") for n in names)

    wait_for(owned, 5, "the owner references are back")
    assert len(ready.creates()) == 2


def test_what_retain_kept_is_taken_over_by_a_resource_of_the_same_name(ready):
    ready.patch("DeepgramApiKey", "api-key", {"spec": {"deletionPolicy": "Retain"}})
    value = ready.data("api-key")
    old = ready.find("DeepgramApiKey", "api-key")["status"]["id"]
    ready.delete("DeepgramApiKey", "api-key")
    ready.wait_gone("DeepgramApiKey", "api-key")
    ready.api_key("api-key")
    again = ready.wait_ready("DeepgramApiKey", "api-key")
    assert again["status"]["id"] == old and ready.data("api-key") == value
    assert len(ready.creates()) == 2


# ---- adoption ----


def hand_made(tenant, name, type, entries):
    tenant.client.post(tenant.secret_path(), {
        "metadata": {"name": name, "annotations": {"deepgram.com/adopt": "true"}}, "type": type,
        "data": {k: base64.b64encode(v.encode()).decode() for k, v in entries.items()},
    })


def deepgram_key(tenant, scopes, comment="made by hand"):
    import httpx

    answer = httpx.post(
        f"{tenant.emulator.url}/v1/projects/{tenant.project_id}/keys", trust_env=False,
        headers={"Authorization": f"Token {tenant.admin_key}"},
        json={"comment": comment, "scopes": scopes},
    )
    answer.raise_for_status()
    return answer.json()


def test_a_hand_made_key_is_adopted_with_no_create_and_its_value_untouched(tenant, operator):
    key = deepgram_key(tenant, ["self-hosted:products", "member"])
    hand_made(tenant, "api-key", "Opaque", {"DEEPGRAM_API_KEY": key["key"]})
    operator("--settle=1s")
    creates = len(tenant.creates())
    tenant.api_key("api-key")
    ready = tenant.wait_ready("DeepgramApiKey", "api-key")
    assert ready["status"]["id"] == key["api_key_id"] and ready["status"]["revision"] == 1
    assert tenant.data("api-key") == {"DEEPGRAM_API_KEY": key["key"]}
    assert len(tenant.creates()) == creates
    tenant.delete("DeepgramApiKey", "api-key")
    tenant.wait_gone("DeepgramApiKey", "api-key")
    assert tenant.live() == []


def test_a_hand_made_key_that_is_dead_is_not_adopted_and_left_alone(tenant, operator):
    key = deepgram_key(tenant, ["self-hosted:products", "member"])
    tenant.emulator.revoke(key["api_key_id"])
    hand_made(tenant, "api-key", "Opaque", {"DEEPGRAM_API_KEY": key["key"]})
    operator("--settle=1s")
    creates = len(tenant.creates())
    tenant.api_key("api-key")
    found = tenant.wait_condition("DeepgramApiKey", "api-key", "Stalled", "True", "AdoptionFailed")
    assert "doesn't accept the key" in found["message"] and "delete it" in found["message"]
    assert len(tenant.creates()) == creates
    tenant.client.delete(tenant.secret_path("api-key"))
    tenant.wait_ready("DeepgramApiKey", "api-key")


def test_hand_made_pull_credentials_are_adopted(tenant, operator):
    import httpx
    import json

    answer = httpx.post(
        f"{tenant.emulator.url}/v1/projects/{tenant.project_id}"
        "/self-hosted/distribution/credentials", trust_env=False,
        headers={"Authorization": f"Token {tenant.admin_key}"},
        params={"scopes": ["self-hosted:products"], "provider": "quay"},
        json={"comment": "made by hand"},
    )
    answer.raise_for_status()
    made = answer.json()
    pair = f"{made['username']}:{made['secret']}"
    config = {"auths": {"quay.io": {
        "username": made["username"], "password": made["secret"],
        "auth": base64.b64encode(pair.encode()).decode()}}}
    hand_made(tenant, "regcred", "kubernetes.io/dockerconfigjson",
              {".dockerconfigjson": json.dumps(config)})
    operator("--settle=1s")
    creates = len(tenant.creates())
    tenant.pull_secret("regcred")
    ready = tenant.wait_ready("DeepgramPullSecret", "regcred")
    assert ready["status"]["username"] == made["username"]
    assert docker_login(tenant.data("regcred")[".dockerconfigjson"]) == (
        made["username"], made["secret"])
    assert len(tenant.creates()) == creates


# ---- default credentials ----


def project_of(tenant):
    return {"project_id": tenant.project_id,
            "admin_keys": [{"key": tenant.admin_key, "api_key_id": tenant.admin_key_id}]}


@pytest.fixture
def shared(control_plane, emulator, tenant, operator):
    """The tenant on the operator's default credentials, which reach its whole project."""
    system = Tenant(control_plane, emulator, "deepgram-operator-system",
                    project=project_of(tenant))
    system.put_admin_secret(name="default-credentials")
    operator("--settle=1s", "--inventory-interval=2s",
             "--default-credentials=deepgram-operator-system/default-credentials",
             f"--default-credentials-namespaces={tenant.namespace}")
    yield tenant
    control_plane.client.delete(system.secret_path("default-credentials"))


def test_default_credentials_issue_and_revoke(shared):
    shared.api_key("api-key", credentialsRef=None)
    shared.pull_secret("regcred", credentialsRef=None)
    shared.wait_ready("DeepgramApiKey", "api-key")
    shared.wait_ready("DeepgramPullSecret", "regcred")
    for kind, name in (("DeepgramApiKey", "api-key"), ("DeepgramPullSecret", "regcred")):
        shared.delete(kind, name)
        shared.wait_gone(kind, name)
    assert shared.live() == []


def test_orphans_are_found_in_each_of_the_namespaces_that_share_a_project(shared, control_plane):
    other = Tenant(control_plane, shared.emulator, "default", project_of(shared))
    other.put_admin_secret()
    try:
        shared.api_key("by-default", credentialsRef=None)
        shared.api_key("with-its-own")
        other.api_key("elsewhere")
        kept, orphans = [], []
        for tenant, name in ((shared, "by-default"), (shared, "with-its-own"),
                             (other, "elsewhere")):
            made = tenant.wait_ready("DeepgramApiKey", name)
            kept.append(made["status"]["id"])
            marker = f"[deepgram-operator uid={made['metadata']['uid']} rev=1 nonce=0123456789abcdef]"
            orphans.append(deepgram_key(shared, ["self-hosted:products"], marker)["api_key_id"])
        wait_for(lambda: sorted(shared.live()) == sorted(kept), 20, "all orphans are revoked")
        assert not set(orphans) & set(shared.live()) and len(shared.creates()) == 6
    finally:
        other.delete("DeepgramApiKey", "elsewhere")
        other.wait_gone("DeepgramApiKey", "elsewhere")
        control_plane.client.delete(other.secret_path(ADMIN_SECRET))


def test_a_forged_revision_does_not_revoke_somebody_elses_key(shared):
    foreign = deepgram_key(shared, ["self-hosted:products"])["api_key_id"]
    shared.api_key("api-key", credentialsRef=None)
    made = shared.wait_ready("DeepgramApiKey", "api-key")
    forged = shared.secret("api-key-dgkey-r1")
    metadata = forged["metadata"]
    annotations = {**metadata["annotations"], "deepgram.com/id": foreign,
                   "deepgram.com/revision": "2"}
    shared.client.post(shared.secret_path(), {
        "type": forged["type"], "data": forged["data"], "immutable": True,
        "metadata": {"name": "api-key-dgkey-r2", "labels": metadata["labels"],
                     "annotations": annotations,
                     "ownerReferences": metadata["ownerReferences"]},
    })
    shared.delete("DeepgramApiKey", "api-key")
    shared.wait_gone("DeepgramApiKey", "api-key")
    assert shared.live() == [foreign] and made["status"]["id"] not in shared.live()
    assert any(e["reason"] == "RevokeByHand" and foreign in e["note"] for e in shared.all_events())
