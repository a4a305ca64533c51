"""The main job: resources in, live credentials and Secrets out, and back."""

import os

import httpx
import pytest

from resources import ADMIN_SECRET, IN_USE, docker_login
from polling import wait_for


def test_an_api_key_becomes_a_live_key_in_a_secret_with_one_entry(tenant, operator):
    operator()
    tenant.api_key("api-key")
    ready = tenant.wait_ready("DeepgramApiKey", "api-key")
    data = tenant.data("api-key")
    assert list(data) == ["DEEPGRAM_API_KEY"]
    credential = tenant.credential(ready["status"]["id"])
    assert credential["alive"] and credential["key"] == data["DEEPGRAM_API_KEY"]
    assert sorted(credential["scopes"]) == ["member", "self-hosted:products"]
    assert credential["comment"].startswith(f"{tenant.namespace}/api-key ")
    assert ready["status"]["scopes"] == credential["scopes"]
    assert ready["status"]["secretName"] == "api-key"
    assert tenant.live() == [ready["status"]["id"]]
    assert len(tenant.creates()) == 1


def test_pull_credentials_become_a_docker_config_that_the_registry_accepts(tenant, operator):
    operator()
    tenant.pull_secret("regcred")
    ready = tenant.wait_ready("DeepgramPullSecret", "regcred")
    secret = tenant.secret("regcred")
    assert secret["type"] == "kubernetes.io/dockerconfigjson"
    username, password = docker_login(tenant.data("regcred")[".dockerconfigjson"])
    assert ready["status"]["username"] == username
    answer = httpx.get(
        f"{tenant.emulator.url}/v2/auth",
        params={"service": "quay.io", "scope": "repository:deepgram/self-hosted-api:pull"},
        auth=(username, password), trust_env=False,
    )
    assert answer.status_code == 200 and answer.json()["token"]


def test_deleting_revokes_and_leaves_nothing(tenant, operator):
    operator()
    tenant.api_key("api-key")
    tenant.pull_secret("regcred")
    tenant.wait_ready("DeepgramApiKey", "api-key")
    tenant.wait_ready("DeepgramPullSecret", "regcred")
    assert IN_USE in tenant.secret(ADMIN_SECRET)["metadata"]["finalizers"]
    tenant.delete("DeepgramApiKey", "api-key")
    tenant.delete("DeepgramPullSecret", "regcred")
    tenant.wait_gone("DeepgramApiKey", "api-key")
    tenant.wait_gone("DeepgramPullSecret", "regcred")
    assert tenant.live() == []
    wait_for(lambda: [s["metadata"]["name"] for s in tenant.secrets()] == [ADMIN_SECRET],
             20, "only the admin Secret is left")
    wait_for(lambda: not tenant.secret(ADMIN_SECRET)["metadata"].get("finalizers"),
             20, "the admin Secret is free again")


@pytest.mark.skipif("DEEPGRAM_OPENAPI" not in os.environ,
                    reason="DEEPGRAM_OPENAPI doesn't name Deepgram's OpenAPI document")
def test_the_requests_of_the_operator_fit_deepgrams_document(tenant, operator):
    from openapi_document import Document

    operator("--inventory-interval=1s")
    tenant.api_key("plain")
    tenant.api_key("rich", comment="two\nlines \u201cquoted\u201d \U0001f3a7", role="admin",
                   scopes=["self-hosted:product:api", "usage:read"], tags=["blue"], validFor="48h")
    tenant.api_key("dated", expiresAt="2099-01-02T03:04:05Z")
    tenant.pull_secret("regcred", scopes=["self-hosted:product:engine"])
    for name in ("plain", "rich", "dated"):
        tenant.wait_ready("DeepgramApiKey", name)
        tenant.delete("DeepgramApiKey", name)
    tenant.wait_ready("DeepgramPullSecret", "regcred")
    tenant.delete("DeepgramPullSecret", "regcred")
    for name in ("plain", "rich", "dated"):
        tenant.wait_gone("DeepgramApiKey", name)
    tenant.wait_gone("DeepgramPullSecret", "regcred")
    document = Document(os.environ["DEEPGRAM_OPENAPI"])
    sent = [r for r in tenant.emulator.requests(project_id=tenant.project_id)]
    for entry in sent:
        document.check_journal_entry(entry)
    assert {entry["operation"] for entry in sent} >= {
        "create_key", "list_keys", "get_key", "delete_key", "create_credentials",
        "list_credentials", "get_credentials", "delete_credentials"}
