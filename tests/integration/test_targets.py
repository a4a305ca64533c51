"""The target Secret: whose it is, what is put on it, what happens when somebody else touches it.

A Secret that a resource doesn't own is never touched, and no credential is made for nothing.
"""

import base64
import time

import pytest

from checks import balanced, no_secret_written, no_trouble, secret_names, settled, trouble
from polling import wait_for
from resources import ADMIN_SECRET, Tenant, condition, docker_login

KEY = "DeepgramApiKey"
PULL = "DeepgramPullSecret"

# Deletion waits five seconds for pods that were made just before the target Secret went.
TAKEOVER_S = 12


@pytest.fixture
def tenant(control_plane, shared_emulator, shared_operator, namespace):
    found = Tenant(control_plane, shared_emulator, namespace)
    found.put_admin_secret()
    return found


def foreign_secret(tenant, name, **metadata):
    body = {"metadata": {"name": name, **metadata},
            "data": {"DEEPGRAM_API_KEY": base64.b64encode(b"somebody's").decode()}}
    return tenant.client.post(tenant.secret_path(), body)


# ---- whose it is ----


@pytest.mark.parametrize("kind", [KEY, PULL])
def test_a_secret_of_nobody_is_left_alone(tenant, kind):
    before = foreign_secret(tenant, "mine")
    tenant.create(kind, "mine")
    trouble(tenant, kind, "mine", "SecretConflict", "Secret mine exists", "left alone",
            "choose another spec.secret.name", "delete the Secret")
    assert tenant.secret("mine") == before
    assert tenant.emulator.requests(project_id=tenant.project_id, operation="create_key") == []
    assert tenant.creates() == []
    no_secret_written(tenant, "mine")
    tenant.client.delete(tenant.secret_path("mine"))
    no_trouble(tenant.wait_ready(kind, "mine", timeout=3))
    assert len(tenant.creates()) == 1
    assert balanced(tenant)


def test_a_secret_of_somebody_else_is_left_alone_and_its_owner_named(tenant):
    path = f"/api/v1/namespaces/{tenant.namespace}/configmaps"
    owner = tenant.client.post(path, {"metadata": {"name": "owner"}})["metadata"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["uid"],
                 "controller": True}
    before = foreign_secret(tenant, "mine", ownerReferences=[reference])
    tenant.api_key("mine")
    trouble(tenant, KEY, "mine", "SecretConflict", "Secret mine", "belongs to ConfigMap/owner",
            "choose another spec.secret.name")
    assert tenant.secret("mine") == before
    assert tenant.creates() == []
    tenant.patch(KEY, "mine", {"spec": {"secret": {"name": "other"}}})
    tenant.wait_ready(KEY, "mine", timeout=3)
    assert tenant.secret("mine") == before
    assert balanced(tenant)


def test_a_secret_that_somebody_put_in_place_of_the_target_is_left_alone(tenant):
    tenant.api_key("mine")
    tenant.wait_ready(KEY, "mine")
    tenant.patch(KEY, "mine", {"spec": {"suspend": True}})
    tenant.wait_condition(KEY, "mine", "Ready", "True", "Suspended")
    tenant.client.delete(tenant.secret_path("mine"))
    before = foreign_secret(tenant, "mine")
    tenant.patch(KEY, "mine", {"spec": {"suspend": False}})
    tenant.wait_condition(KEY, "mine", "Ready", "False", "SecretConflict")
    assert tenant.secret("mine") == before
    tenant.client.delete(tenant.secret_path("mine"))
    no_trouble(tenant.wait_ready(KEY, "mine", timeout=3))
    assert len(tenant.creates()) == 1
    assert balanced(tenant)


@pytest.mark.parametrize("second_kind", [KEY, PULL])
def test_the_first_of_two_resources_keeps_the_target(tenant, second_kind):
    tenant.api_key("first", secret={"name": "shared"})
    first = tenant.wait_ready(KEY, "first")
    published = tenant.secret("shared")
    tenant.create(second_kind, "second", secret={"name": "shared"})
    trouble(tenant, second_kind, "second", "SecretConflict", "Secret shared",
            "belongs to DeepgramApiKey/first", "delete the other resource")
    assert tenant.secret("shared") == published
    assert tenant.live() == [first["status"]["id"]]
    assert len(tenant.creates()) == 1
    tenant.delete(KEY, "first")
    second = tenant.wait_ready(second_kind, "second", TAKEOVER_S)
    no_trouble(second)
    credential = tenant.credential(second["status"]["id"])
    data = tenant.data("shared")
    if second_kind == KEY:
        assert data == {"DEEPGRAM_API_KEY": credential["key"]}
    else:
        assert docker_login(data[".dockerconfigjson"])[1] == credential["secret"]
    tenant.wait_gone(KEY, "first")
    assert tenant.live() == [second["status"]["id"]]
    assert balanced(tenant)


def test_one_of_two_resources_made_at_once_gets_the_target(tenant):
    manifest = [tenant.body(KEY, name, secret={"name": "shared"}) for name in ("one", "two")]
    for body in manifest:
        tenant.client.post(tenant.path(KEY), body)

    def states():
        found = {name: tenant.find(KEY, name)["status"]["conditions"] for name in ("one", "two")}
        reasons = {name: [c["reason"] for c in conditions if c["type"] == "Ready"][0]
                   for name, conditions in found.items()}
        assert sorted(reasons.values()) == ["Published", "SecretConflict"], reasons
        return reasons

    reasons = wait_for(states, 10, "one is Ready, and the other told")
    winner = next(name for name, reason in reasons.items() if reason == "Published")
    loser = next(name for name, reason in reasons.items() if reason == "SecretConflict")
    live_id = tenant.find(KEY, winner)["status"]["id"]
    assert tenant.data("shared")["DEEPGRAM_API_KEY"] == tenant.credential(live_id)["key"]
    assert settled(tenant)
    tenant.delete(KEY, loser)
    tenant.wait_gone(KEY, loser)
    assert tenant.live() == [live_id]


# ---- what is put on it ----


def test_labels_and_annotations_of_the_spec_are_put_on_the_target_and_taken_off_again(tenant):
    tenant.api_key("api-key", secret={"labels": {"team": "speech", "tier": "a"},
                                      "annotations": {"example.com/note": "two\nlines"}})
    tenant.wait_ready(KEY, "api-key")
    metadata = tenant.secret("api-key")["metadata"]
    assert (metadata["labels"]["team"], metadata["labels"]["tier"]) == ("speech", "a")
    assert metadata["annotations"]["example.com/note"] == "two\nlines"
    tenant.client.patch(tenant.secret_path("api-key"),
                        {"metadata": {"labels": {"of-a-person": "stays"}}})
    tenant.patch(KEY, "api-key", {"spec": {"secret": {
        "labels": {"team": "text", "tier": None}, "annotations": None}}})

    def changed():
        metadata = tenant.secret("api-key")["metadata"]
        assert metadata["labels"].get("team") == "text"
        assert metadata["labels"].get("of-a-person") == "stays"
        assert "tier" not in metadata["labels"]
        assert "example.com/note" not in metadata["annotations"]
        return True

    wait_for(changed, 3, "the target's labels and annotations are those of the spec")
    tenant.wait_ready(KEY, "api-key")
    assert len(tenant.creates()) == 1
    assert balanced(tenant)


@pytest.mark.parametrize("kind", [KEY, PULL])
def test_another_name_for_the_target_is_the_same_credential_under_it(tenant, kind):
    tenant.create(kind, "mine")
    before = tenant.wait_ready(kind, "mine")
    data = tenant.data("mine")
    tenant.patch(kind, "mine", {"spec": {"secret": {"name": "other"}}})
    after = wait_for(lambda: tenant.secret("other") and tenant.wait_ready(kind, "mine"), 5,
                     "the target has its new name")
    assert tenant.data("other") == data
    assert after["status"]["secretName"] == "other"
    assert after["status"]["id"] == before["status"]["id"]
    wait_for(lambda: tenant.secret("mine") is None, 5, "the target of the old name is gone")
    assert len(tenant.creates()) == 1
    assert balanced(tenant)


def test_pods_of_the_old_name_keep_their_key_although_its_secret_is_gone(tenant):
    """Nothing but the revision's own Secret tells then under which name it was published."""
    tenant.api_key("mine", secret={"name": "old"}, rotation={"overlap": "2s"})
    before = tenant.wait_ready(KEY, "mine")["status"]["id"]
    pods = f"/api/v1/namespaces/{tenant.namespace}/pods"
    tenant.client.post(pods, {"metadata": {"name": "consumer"}, "spec": {"containers": [
        {"name": "api", "image": "api", "envFrom": [{"secretRef": {"name": "old"}}]}]}})
    tenant.patch(KEY, "mine", {"spec": {"secret": {"name": "new"}}})
    wait_for(lambda: tenant.secret("new"), 5, "the target has its new name")
    tenant.client.delete(tenant.secret_path("old"))
    tenant.patch(KEY, "mine", {"metadata": {"annotations": {"deepgram.com/rotate": "1"}}})

    def told():
        return condition(tenant.find(KEY, "mine"), "ConsumersUpdated")["message"]

    wait_for(lambda: "than revision 2. 1 pod(s) refer to Secret old, an earlier spec.secret.name, "
             "among them consumer: what they may hold stays alive" in told(), 10,
             "status names the pod")
    time.sleep(5)
    assert before in tenant.live() and len(tenant.live()) == 2
    tenant.client.delete(f"{pods}/consumer")
    wait_for(lambda: before not in tenant.live(), 15, "the old key is revoked after its last pod")
    wait_for(lambda: told() == "No pod that uses Secret new is older than revision 2", 10,
             "status names no pod")
    assert balanced(tenant)


# ---- healing ----


def delete_it(tenant, name):
    tenant.client.delete(tenant.secret_path(name))


def overwrite_it(tenant, name):
    empty = base64.b64encode(b"{}").decode()
    entries = {entry: empty for entry in tenant.data(name)}
    tenant.client.patch(tenant.secret_path(name), {"data": entries})


def add_an_entry(tenant, name):
    tenant.client.patch(tenant.secret_path(name), {"data": {"x": "eA=="}})


def disown_it(tenant, name):
    tenant.client.patch(tenant.secret_path(name), {"metadata": {"annotations": {
        "deepgram.com/revision": None, "deepgram.com/id": None}}})


def content(secret):
    """What a consumer sees of it, and what says whose it is."""
    metadata = secret["metadata"] if secret else {}
    annotations = dict(metadata.get("annotations", {}))
    annotations.pop("deepgram.com/published-at", None)  # later, when it was made anew
    return secret and (secret["type"], secret["data"], metadata.get("labels"), annotations,
                       metadata.get("ownerReferences"))


@pytest.mark.parametrize("damage", [delete_it, overwrite_it, add_an_entry, disown_it])
@pytest.mark.parametrize("kind", [KEY, PULL])
def test_a_damaged_target_heals_within_two_seconds_without_a_create(tenant, kind, damage):
    tenant.create(kind, "mine")
    ready = tenant.wait_ready(kind, "mine")
    before = tenant.secret("mine")
    tenant.emulator.clear_requests()
    damage(tenant, "mine")

    def healed():
        assert content(tenant.secret("mine")) == content(before)
        return True

    wait_for(healed, 2, "the target is as it was", interval=0.02)
    time.sleep(0.5)
    assert tenant.creates() == []
    assert tenant.live() == [ready["status"]["id"]]
    assert tenant.wait_ready(kind, "mine")["status"]["id"] == ready["status"]["id"]
    assert balanced(tenant)


def test_a_deleted_revision_secret_costs_no_outage(tenant):
    tenant.api_key("mine")
    ready = tenant.wait_ready(KEY, "mine")
    before = tenant.secret("mine")
    (revision,) = [name for name in secret_names(tenant) if name not in ("mine", ADMIN_SECRET)]
    tenant.client.delete(tenant.secret_path(revision))
    time.sleep(1)
    assert tenant.data("mine") == {key: base64.b64decode(value).decode()
                                   for key, value in before["data"].items()}
    assert tenant.wait_ready(KEY, "mine")["status"]["id"] == ready["status"]["id"]
    assert tenant.live() == [ready["status"]["id"]]
