"""The emulator's API is the one in Deepgram's OpenAPI document, and the check can tell."""

import copy
import os

import httpx
import pytest

from openapi_document import (
    CREDENTIALS, KEY, KEYS, ONE_CREDENTIALS, REQUIRED_IN_ANSWERS, Document, Mismatch,
)

DOCUMENT_PATH = os.environ.get("DEEPGRAM_OPENAPI")
pytestmark = pytest.mark.skipif(
    not DOCUMENT_PATH, reason="DEEPGRAM_OPENAPI does not name Deepgram's OpenAPI document")

OPERATIONS = list(REQUIRED_IN_ANSWERS)
PROJECT = "01234567-89ab-4cde-8f01-23456789abcd"
KEYS_PATH = f"/v1/projects/{PROJECT}/keys"
CREDENTIALS_PATH = f"/v1/projects/{PROJECT}/self-hosted/distribution/credentials"


@pytest.fixture(scope="module")
def document():
    return Document(DOCUMENT_PATH)


@pytest.fixture
def http(emulator):
    [key] = emulator.add_project(PROJECT)["admin_keys"]
    with httpx.Client(base_url=emulator.url, trust_env=False,
                      headers={"Authorization": f"Token {key['key']}"}) as client:
        yield client


@pytest.fixture
def answers(http):
    """Every operation once: {(method, path template): (path, answer)}."""
    asked = {}

    def ask(operation, path, **arguments):
        answer = http.request(operation[0], path, **arguments)
        assert answer.status_code == 200, answer.text
        content = answer.json()
        asked[operation] = (path, content)
        return content

    ask(("GET", "/v1/projects"), "/v1/projects")
    key_id = ask(("POST", KEYS), KEYS_PATH, json={
        "comment": "c", "scopes": ["member", "self-hosted:products"], "tags": ["t"],
        "time_to_live_in_seconds": 3600})["api_key_id"]
    listed = ask(("GET", KEYS), KEYS_PATH, params={"status": "active"})["api_keys"]
    listed[:] = [entry for entry in listed if entry["api_key"]["api_key_id"] == key_id]
    ask(("GET", KEY), f"{KEYS_PATH}/{key_id}")
    ask(("DELETE", KEY), f"{KEYS_PATH}/{key_id}")

    made = ask(("POST", CREDENTIALS), CREDENTIALS_PATH, json={"comment": "c"}, params={
        "scopes": ["self-hosted:product:api", "self-hosted:products"], "provider": "quay"})
    one = f"{CREDENTIALS_PATH}/{made['distribution_credentials']['distribution_credentials_id']}"
    ask(("GET", CREDENTIALS), CREDENTIALS_PATH)
    ask(("GET", ONE_CREDENTIALS), one)
    ask(("DELETE", ONE_CREDENTIALS), one)
    return asked


def test_every_operation_is_as_documented(document, emulator, answers):
    assert list(answers) == OPERATIONS
    for entry in emulator.requests():
        document.check_journal_entry(entry)
    for (method, _), (path, answer) in answers.items():
        document.check_answer(method, path, 200, answer)


def test_errors_are_as_documented(document, http):
    wrong_key = {"Authorization": "Token x"}
    for answer, status in (
        (http.get("/v1/projects/not-a-uuid/keys"), 404),
        (http.get(f"/v1/projects/{PROJECT.replace('0', '1')}/keys"), 404),
        (http.get(KEYS_PATH, headers=wrong_key), 401),
        (http.post(KEYS_PATH, json={}), 400),
        (http.get(f"{CREDENTIALS_PATH}/x"), 404),
    ):
        assert answer.status_code == status
        is_json = answer.headers["Content-Type"] == "application/json"
        document.check_answer(answer.request.method, answer.url.path, status,
                              answer.json() if is_json else answer.text)


@pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
def test_a_renamed_field_is_noticed(document, answers, operation):
    path, answer = answers[operation]
    for field in REQUIRED_IN_ANSWERS[operation]:
        renamed = copy.deepcopy(answer)
        *way, name = field.split(".")
        holder = renamed
        for step in way:
            holder = holder[step.removesuffix("[]")]
            holder = holder[0] if step.endswith("[]") else holder
        holder[name + "_renamed"] = holder.pop(name)
        with pytest.raises(Mismatch, match=name):
            document.check_answer(operation[0], path, 200, renamed)


GOOD_KEY = {"comment": "c", "scopes": ["member"]}
JSON = "application/json"


@pytest.mark.parametrize("method, path, query, body, content_type", [
    ("PUT", KEYS_PATH, "", None, None),
    ("GET", "/v1/project", "", None, None),
    ("GET", KEYS_PATH, "state=active", None, None),
    ("GET", KEYS_PATH, "status=dead", None, None),
    ("GET", KEYS_PATH, "status=active&status=active", None, None),
    ("GET", KEYS_PATH, "", {}, JSON),
    ("POST", KEYS_PATH, "", None, None),
    ("POST", KEYS_PATH, "", GOOD_KEY, "text/plain"),
    ("POST", KEYS_PATH, "", GOOD_KEY, None),
    ("POST", KEYS_PATH, "", {**GOOD_KEY, "comment": ""}, JSON),
    ("POST", KEYS_PATH, "", {**GOOD_KEY, "role": "member"}, JSON),
    ("POST", KEYS_PATH, "", {**GOOD_KEY, "expiration_date": "tomorrow"}, JSON),
    ("POST", KEYS_PATH, "", {**GOOD_KEY, "expiration_date": "2099-01-01T00:00:00Z",
                             "time_to_live_in_seconds": 1}, JSON),
    ("POST", CREDENTIALS_PATH, "scopes=member", {}, JSON),
    ("POST", CREDENTIALS_PATH, "provider=docker", {}, JSON),
    ("POST", CREDENTIALS_PATH, "", {"role": "member"}, JSON),
])
def test_a_wrong_request_is_noticed(document, method, path, query, body, content_type):
    with pytest.raises(Mismatch):
        document.check_request(method, path, query, body, content_type)


@pytest.mark.parametrize("status, answer", [
    (200, []),
    (200, {"member": {"member_id": "1", "email": "a@b.c"}}),
    (400, 7),
    (400, {"err_code": "X", "err_msg": "x"}),
])
def test_a_wrong_answer_is_noticed(document, status, answer):
    with pytest.raises(Mismatch):
        document.check_answer("GET", f"{CREDENTIALS_PATH}/x", status, answer)
