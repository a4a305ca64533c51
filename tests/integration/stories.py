"""What is done to the operator while it is killed: each story is a change made while it was down.

A story ends in `settled`: live credentials at Deepgram are exactly those that the cluster names,
and nothing is stuck.
"""

import base64
from dataclasses import dataclass
from typing import Callable, Optional

import httpx

from checks import open_creates, resources
from crowd import kept
from resources import ADMIN_SECRET, IN_USE, condition

KEY = "DeepgramApiKey"
PULL = "DeepgramPullSecret"


@dataclass
class Story:
    slug: str
    act: Callable
    settled: Callable
    prepare: Optional[Callable] = None  # with an operator that is not the one to be killed
    creates: int = 0  # that `act` leads to when nobody is killed


def exactly(tenant, ids):
    assert sorted(tenant.live()) == sorted(ids), (tenant.live(), ids)
    assert kept(tenant) == sorted(ids), (kept(tenant), ids)


# Of a resource in which nothing is amiss: pods that consume an API key are told of, too.
CONDITIONS = {KEY: {"Ready": "True", "ConsumersUpdated": "True"}, PULL: {"Ready": "True"}}


def exactly_one(tenant, kind, name="it"):
    """Ready, with one credential: in the status, the target, a revision Secret and at Deepgram."""
    found = tenant.find(kind, name)
    ready = condition(found, "Ready")
    assert ready and ready["status"] == "True", ready
    assert found["status"]["observedGeneration"] == found["metadata"]["generation"]
    told = {entry["type"]: entry["status"] for entry in found["status"]["conditions"]}
    assert told == CONDITIONS[kind], found["status"]["conditions"]
    assert not open_creates(found), "an announced create is open"
    alive = [r["id"] for r in found["status"]["revisions"] if r["state"] != "Revoked"]
    assert alive == [found["status"]["id"]], found["status"]["revisions"]
    exactly(tenant, alive)
    holds_value(tenant, kind, name, alive[0])
    return True


def holds_value(tenant, kind, name, id):
    credential = tenant.credential(id)
    value = credential["key"] if kind == KEY else credential["secret"]
    assert tenant.secret(name) and any(value in entry for entry in tenant.data(name).values())


def nothing_left(tenant):
    assert resources(tenant) == []
    exactly(tenant, [])
    assert [secret["metadata"]["name"] for secret in tenant.secrets()] == [ADMIN_SECRET]
    assert IN_USE not in tenant.secret(ADMIN_SECRET)["metadata"].get("finalizers", [])
    return True


def retained(tenant):
    """The resource is gone; its credential lives on in Secrets that nobody owns."""
    assert resources(tenant) == []
    ids = tenant.live()
    assert len(ids) == 1, ids
    exactly(tenant, ids)
    holds_value(tenant, KEY, "it", ids[0])
    owners = [secret["metadata"].get("ownerReferences") for secret in tenant.secrets()]
    assert not any(owners), owners
    return True


# ---- what is done ----


def issued(tenant):
    tenant.api_key("it", rotation={"overlap": "1s"})
    tenant.wait_ready(KEY, "it")


def issue(kind):
    return lambda tenant: tenant.create(kind, "it")


def issue_with_lost_answer(kind):
    def act(tenant):
        operation = {KEY: "create_key", PULL: "create_credentials"}[kind]
        tenant.emulator.add_fault(operation, "lost", project_id=tenant.project_id)
        tenant.create(kind, "it")
    return act


def change_scopes(tenant):
    scopes = ["self-hosted:products", "self-hosted:product:api"]
    tenant.patch(KEY, "it", {"spec": {"scopes": scopes}})


def delete(tenant):
    tenant.delete(KEY, "it")


def retain(tenant):
    tenant.patch(KEY, "it", {"spec": {"deletionPolicy": "Retain"}})
    delete(tenant)


def adopt(tenant):
    """A key made by hand, which the resource then takes over."""
    answer = httpx.post(
        f"{tenant.emulator.url}/v1/projects/{tenant.project_id}/keys", trust_env=False,
        headers={"Authorization": f"Token {tenant.admin_key}"},
        json={"comment": "made by hand", "scopes": ["self-hosted:products", "member"]})
    value = base64.b64encode(answer.raise_for_status().json()["key"].encode()).decode()
    tenant.client.post(tenant.secret_path(), {
        "metadata": {"name": "it", "annotations": {"deepgram.com/adopt": "true"}},
        "type": "Opaque", "data": {"DEEPGRAM_API_KEY": value}})
    tenant.api_key("it")


def edit_target(tenant):
    wrong = base64.b64encode(b"wrong").decode()
    tenant.client.patch(tenant.secret_path("it"), {"data": {"DEEPGRAM_API_KEY": wrong}})


def entries(tenant, account):
    return [entry["name"] for entry in tenant.entries(account)]


def serve_accounts(tenant):
    for name in ("engine", "api"):
        tenant.account(name, [{"name": "of-another"}])
    tenant.create(PULL, "it", serviceAccounts=["engine", "api"])


def accounts_served(tenant):
    serve_accounts(tenant)
    tenant.wait_ready(PULL, "it")
    tenant.wait_condition(PULL, "it", "ServiceAccountsUpdated", "True", "Updated")


def serve_another(tenant):
    """Each account has something to be done: a Secret's other name, an account less."""
    tenant.patch(PULL, "it", {"spec": {"serviceAccounts": ["api"], "secret": {"name": "other"}}})


def settled_accounts(secrets):
    """Each of the two accounts has this entry of ours, or none, and the status tells of it."""
    def settled(tenant):
        found = tenant.find(PULL, "it")
        updated = condition(found, "ServiceAccountsUpdated")
        assert updated and updated["status"] == "True", updated
        assert condition(found, "Ready")["status"] == "True"
        for account in ("engine", "api"):
            wanted = [secrets[account]] if account in secrets else []
            assert entries(tenant, account) == ["of-another", *wanted]
        noted = {note["name"]: note["secretName"] for note in found["status"]["serviceAccounts"]}
        assert noted == secrets, noted
        exactly(tenant, [found["status"]["id"]])
        return True

    return settled


def delete_pull(tenant):
    tenant.delete(PULL, "it")


def nothing_left_in_accounts(tenant):
    nothing_left(tenant)
    assert entries(tenant, "engine") == entries(tenant, "api") == ["of-another"]
    return True


def delete_target(tenant):
    tenant.client.delete(tenant.secret_path("it"))


def settled_key(tenant):
    return exactly_one(tenant, KEY)


def settled_pull(tenant):
    return exactly_one(tenant, PULL)


STORIES = [
    Story("issue-key", issue(KEY), settled_key, creates=1),
    Story("issue-pull", issue(PULL), settled_pull, creates=1),
    Story("lost-answer-key", issue_with_lost_answer(KEY), settled_key, creates=2),
    Story("lost-answer-pull", issue_with_lost_answer(PULL), settled_pull, creates=2),
    Story("scopes", change_scopes, settled_key, issued, creates=1),
    Story("delete", delete, nothing_left, issued),
    Story("retain", retain, retained, issued),
    Story("adopt", adopt, settled_key, creates=1),  # the one made by hand
    Story("edited-target", edit_target, settled_key, issued),
    Story("deleted-target", delete_target, settled_key, issued),
    Story("accounts", serve_accounts, settled_accounts({"engine": "it", "api": "it"}), creates=1),
    Story("other-accounts", serve_another, settled_accounts({"api": "other"}), accounts_served),
    Story("leave-accounts", delete_pull, nothing_left_in_accounts, accounts_served),
]
