"""The emulator does what tests/emulator/README.md says: nothing else holds up the other tests."""

import base64
import concurrent.futures
import datetime
import json
import re
import socket
import subprocess
import time
import uuid

import httpx
import pytest

from emulator import Emulator
from polling import wait_for

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ELSEWHERE = "01234567-89ab-4cde-8f01-23456789abcd"
PRODUCTS = [
    f"self-hosted:product:{name}" for name in
    ("api", "engine", "license-proxy", "dgtools", "billing", "hotpepper", "metrics-server")
]
NO_ANSWER = (httpx.RemoteProtocolError, httpx.ReadError)


class Account:
    """One API key of one project, and the requests it makes."""

    def __init__(self, emulator, project_id, key, path="self-hosted"):
        self.project_id = project_id
        self.key = key
        self.http = httpx.Client(base_url=emulator.url, trust_env=False, timeout=20,
                                 headers={"Authorization": f"Token {key}"})
        self.keys_path = f"/v1/projects/{project_id}/keys"
        self.credentials_path = f"/v1/projects/{project_id}/{path}/distribution/credentials"

    def post_key(self, **body):
        return self.http.post(self.keys_path, json=body)

    def create_key(self, comment="c", scopes=("self-hosted:products",), **more):
        return success(self.post_key(comment=comment, scopes=list(scopes), **more))

    def list_keys(self, **params):
        return [
            entry["api_key"] for entry in
            success(self.http.get(self.keys_path, params=params))["api_keys"]
        ]

    def listed_ids(self, **params):
        return [key["api_key_id"] for key in self.list_keys(**params)]

    def create_credentials(self, body=None, **params):
        return success(self.http.post(self.credentials_path, params=params, json=body or {}))

    def list_credentials(self):
        return success(self.http.get(self.credentials_path))["distribution_credentials"]


def success(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()


def legacy_error(answer, status, code):
    assert answer.status_code == status
    assert set(answer.json()) == {"err_code", "err_msg", "request_id"}
    assert answer.json()["err_code"] == code


def modern_error(answer, status, category):
    assert answer.status_code == status
    assert set(answer.json()) == {"category", "message", "details", "request_id"}
    assert answer.json()["category"] == category


def after(seconds):
    return (datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)).isoformat()


def parse_time(text):
    assert text.endswith("Z")
    return datetime.datetime.fromisoformat(text)


@pytest.fixture
def owner(emulator):
    project = emulator.add_project()
    return Account(emulator, project["project_id"], project["admin_keys"][0]["key"])


@pytest.fixture
def account(emulator, owner):
    """account(role, scopes) is another seeded key of the same project."""
    def add(role, scopes=()):
        seeded = emulator.add_project(owner.project_id, [{"role": role, "scopes": list(scopes)}])
        return Account(emulator, owner.project_id, seeded["admin_keys"][0]["key"])
    return add


# API keys


def test_create_key_answers_everything_about_it_once(emulator, owner):
    made = owner.create_key("mine", ["member", "self-hosted:products"], tags=["a", "b"],
                            time_to_live_in_seconds=3600)
    assert set(made) == {"api_key_id", "key", "comment", "scopes", "tags", "created",
                         "expiration_date"}
    assert UUID.fullmatch(made["api_key_id"])
    assert re.fullmatch(r"[0-9A-Za-z]{40}", made["key"])
    assert made["comment"] == "mine"
    assert made["scopes"] == ["member", "self-hosted:products"]
    assert made["tags"] == ["a", "b"]
    lifetime = parse_time(made["expiration_date"]) - parse_time(made["created"])
    assert lifetime == datetime.timedelta(hours=1)
    assert made["key"] not in owner.http.get(owner.keys_path).text
    assert made["key"] not in owner.http.get(f"{owner.keys_path}/{made['api_key_id']}").text
    assert emulator.state()["keys"][1] == {
        "api_key_id": made["api_key_id"], "key": made["key"], "project_id": owner.project_id,
        "comment": "mine", "scopes": made["scopes"], "tags": ["a", "b"],
        "created": made["created"], "expiration_date": made["expiration_date"], "alive": True,
        "revoked_at": None, "created_by": emulator.state()["keys"][0]["api_key_id"],
        "admin": False,
    }


def test_create_key_leaves_out_what_was_not_asked_for(owner):
    assert set(owner.create_key()) == {"api_key_id", "key", "comment", "scopes", "created"}


def test_create_key_twice_makes_two(owner):
    assert owner.create_key()["api_key_id"] != owner.create_key()["api_key_id"]


@pytest.mark.parametrize("date, same_as", [
    ("2099-01-02T03:04:05Z", "2099-01-02T03:04:05.000000Z"),
    ("2099-01-02T03:04:05.6789Z", "2099-01-02T03:04:05.678000Z"),
    ("2099-01-02T03:04:05+02:30", "2099-01-02T00:34:05.000000Z"),
])
def test_create_key_with_expiration_date(owner, date, same_as):
    assert owner.create_key(expiration_date=date)["expiration_date"] == same_as


@pytest.mark.parametrize("body", [
    {"scopes": ["member"]},
    {"comment": None, "scopes": ["member"]},
    {"comment": 1, "scopes": ["member"]},
    {"comment": "c"},
    {"comment": "c", "scopes": []},
    {"comment": "c", "scopes": "member"},
    {"comment": "c", "scopes": [1]},
    {"comment": "c", "scopes": ["none"]},
    {"comment": "c", "scopes": ["member"], "tags": "t"},
    {"comment": "c", "scopes": ["member"], "tags": [1]},
    {"comment": "c", "scopes": ["member"], "time_to_live_in_seconds": 0},
    {"comment": "c", "scopes": ["member"], "time_to_live_in_seconds": 1.5},
    {"comment": "c", "scopes": ["member"], "time_to_live_in_seconds": "60"},
    {"comment": "c", "scopes": ["member"], "expiration_date": "2020-01-01T00:00:00Z"},
    {"comment": "c", "scopes": ["member"], "expiration_date": "2099-01-01"},
    {"comment": "c", "scopes": ["member"], "expiration_date": "2099-02-30T00:00:00Z"},
    {"comment": "c", "scopes": ["member"], "expiration_date": "2099-01-01T00:00:00"},
    {"comment": "c", "scopes": ["member"], "expiration_date": "2099-01-01T00:00:00Z",
     "time_to_live_in_seconds": 60},
])
def test_create_key_refuses(emulator, owner, body):
    modern_error(owner.post_key(**body), 400, "Bad Request")
    assert len(emulator.state()["keys"]) == 1


@pytest.mark.parametrize("content", ["", "{", "[]", '{"comment":"c","scopes":["member"]} x'])
def test_create_key_refuses_what_is_no_json_object(owner, content):
    answer = owner.http.post(owner.keys_path, content=content,
                             headers={"Content-Type": "application/json"})
    modern_error(answer, 400, "INVALID_JSON")


def test_create_key_refuses_another_content_type(owner):
    answer = owner.http.post(owner.keys_path, content='{"comment":"c","scopes":["member"]}',
                             headers={"Content-Type": "text/plain"})
    modern_error(answer, 400, "Bad Request")


@pytest.mark.parametrize("role, asked, status", [
    ("owner", "owner", 200), ("owner", "admin", 200), ("owner", "member", 200),
    ("admin", "owner", 403), ("admin", "admin", 200), ("admin", "member", 200),
    ("member", "member", 403),
])
def test_role_hierarchy(account, role, asked, status):
    assert account(role).post_key(comment="c", scopes=[asked]).status_code == status


def test_fine_grained_scopes_allow_what_they_name(account):
    reader, writer = account("member", ["keys:read"]), account("member", ["keys:write"])
    assert len(reader.list_keys()) == 3
    legacy_error(reader.post_key(comment="c", scopes=["member"]), 403, "INSUFFICIENT_PERMISSIONS")
    writer.create_key()
    legacy_error(writer.http.get(writer.keys_path), 403, "INSUFFICIENT_PERMISSIONS")


def test_admin_deletes_only_keys_it_created_itself(owner, account):
    admin = account("admin")
    of_owner, own = owner.create_key(), admin.create_key()
    legacy_error(admin.http.delete(f"{admin.keys_path}/{of_owner['api_key_id']}"), 403,
                 "INSUFFICIENT_PERMISSIONS")
    success(admin.http.delete(f"{admin.keys_path}/{own['api_key_id']}"))
    success(owner.http.delete(f"{admin.keys_path}/{of_owner['api_key_id']}"))


def test_list_keys(owner):
    made = owner.create_key("mine", tags=["t"], time_to_live_in_seconds=60)
    entry = success(owner.http.get(owner.keys_path))["api_keys"][1]
    assert set(entry) == {"member", "api_key"}
    assert set(entry["member"]) == {"member_id", "email"}
    assert entry["api_key"] == {name: made[name] for name in made if name != "key"}


def test_get_key(owner):
    made = owner.create_key("mine", tags=["t"], time_to_live_in_seconds=60)
    answer = success(owner.http.get(f"{owner.keys_path}/{made['api_key_id']}"))
    member = answer["item"]["member"]
    assert set(member) == {"member_id", "email", "first_name", "last_name", "api_key"}
    assert member["api_key"] == {name: made[name] for name in made if name != "key"}


def test_deleted_key_is_gone_and_dead(emulator, owner):
    made = owner.create_key(scopes=["owner"])
    path = f"{owner.keys_path}/{made['api_key_id']}"
    assert set(success(owner.http.delete(path))) == {"message"}
    modern_error(owner.http.get(path), 404, "NOT_FOUND")
    modern_error(owner.http.delete(path), 404, "NOT_FOUND")
    assert made["api_key_id"] not in owner.listed_ids()
    dead = Account(emulator, owner.project_id, made["key"])
    legacy_error(dead.http.get(dead.keys_path), 401, "INVALID_AUTH")
    remembered = emulator.state()["keys"][1]
    assert not remembered["alive"] and parse_time(remembered["revoked_at"])


def test_expired_key(emulator, owner):
    lasting = owner.create_key(expiration_date=after(3600))["api_key_id"]
    made = owner.create_key(scopes=["owner"], expiration_date=after(0.3))
    soon = made["api_key_id"]
    bearer = Account(emulator, owner.project_id, made["key"])
    wait_for(lambda: bearer.http.get("/v1/auth/token").status_code == 401, 10, "key expired")
    legacy_error(bearer.http.get(bearer.keys_path), 401, "INVALID_AUTH")
    assert owner.listed_ids(status="expired") == [soon]
    assert soon not in owner.listed_ids(status="active")
    assert {soon, lasting} < set(owner.listed_ids())
    assert not emulator.state()["keys"][2]["alive"]
    assert soon not in [key["api_key_id"] for key in emulator.state(alive=True)["keys"]]
    success(owner.http.delete(f"{owner.keys_path}/{soon}"))


def test_list_keys_refuses_another_status(owner):
    modern_error(owner.http.get(owner.keys_path, params={"status": "x"}), 400, "Bad Request")


# Projects and authentication


@pytest.mark.parametrize("header", [None, "Token", "Token nonsense", "Bearer {key}"])
def test_wrong_credentials(owner, header):
    del owner.http.headers["Authorization"]
    if header:
        owner.http.headers["Authorization"] = header.format(key=owner.key)
    legacy_error(owner.http.get(owner.keys_path), 401, "INVALID_AUTH")
    legacy_error(owner.http.get("/v1/auth/token"), 401, "INVALID_AUTH")
    legacy_error(owner.http.get("/v1/projects"), 401, "INVALID_AUTH")


@pytest.mark.parametrize("project_id", ["not-a-uuid", ELSEWHERE[:-1], ELSEWHERE + "0"])
def test_malformed_project_id_gets_bare_text(owner, project_id):
    answer = owner.http.get(f"/v1/projects/{project_id}/keys")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.text.startswith("UUID parsing failed: ")


def test_other_projects_are_not_found(emulator, owner):
    stranger = emulator.add_project()["project_id"]
    for project_id in (ELSEWHERE, stranger):
        answer = owner.http.get(f"/v1/projects/{project_id}/keys")
        legacy_error(answer, 404, "PROJECT_NOT_FOUND")


def test_project_id_in_capitals(owner):
    success(owner.http.get(f"/v1/projects/{owner.project_id.upper()}/keys"))


def test_credentials_of_another_project_are_not_found(emulator, owner):
    other = emulator.add_project()
    stranger = Account(emulator, other["project_id"], other["admin_keys"][0]["key"])
    made = owner.create_key()["api_key_id"]
    modern_error(stranger.http.delete(f"{stranger.keys_path}/{made}"), 404, "NOT_FOUND")


def test_list_projects(emulator, owner):
    emulator.add_project()
    projects = success(owner.http.get("/v1/projects"))["projects"]
    assert [project["project_id"] for project in projects] == [owner.project_id]


def test_auth_token_describes_the_key_that_asks(emulator, owner):
    made = owner.create_key("mine", ["member"], tags=["t"], time_to_live_in_seconds=60)
    bearer = Account(emulator, owner.project_id, made["key"])
    described = success(bearer.http.get("/v1/auth/token"))
    assert described == {name: made[name] for name in made if name != "key"}


def test_unknown_path(owner):
    modern_error(owner.http.get("/v1/nothing"), 404, "NOT_FOUND")
    modern_error(owner.http.post(f"{owner.keys_path}/{ELSEWHERE}"), 404, "NOT_FOUND")


def test_other_methods_are_not_allowed(owner):
    assert owner.http.put(owner.keys_path, json={}).status_code == 405


def test_deletion_with_a_body(owner):
    path = f"{owner.keys_path}/{owner.create_key()['api_key_id']}"
    success(owner.http.request("DELETE", path, json={}))
    assert len(owner.list_keys()) == 1


def test_request_without_a_length_is_refused(emulator, owner):
    answer = httpx.post(emulator.url + owner.keys_path, content=iter([b"{}"]), trust_env=False)
    assert answer.status_code == 411


# Distribution credentials


@pytest.mark.parametrize("path", ["self-hosted", "onprem"])
def test_distribution_credentials(emulator, owner, path):
    either = Account(emulator, owner.project_id, owner.key, path)
    made = either.create_credentials({"comment": "mine"}, provider="quay",
                                     scopes=["self-hosted:product:api", "self-hosted:products"])
    assert set(made) == {"member", "distribution_credentials", "username", "secret"}
    described = made["distribution_credentials"]
    credentials_id = described["distribution_credentials_id"]
    assert UUID.fullmatch(credentials_id)
    assert made["username"] == f"deepgram+{credentials_id}"
    assert re.fullmatch(r"[A-Z0-9]{64}", made["secret"])
    assert set(made["member"]) == {"member_id", "email"}
    assert described == {
        "distribution_credentials_id": credentials_id, "provider": "quay", "comment": "mine",
        "scopes": ["self-hosted:product:api", "self-hosted:products"],
        "created": described["created"],
    }
    single = {"member": made["member"], "distribution_credentials": described}
    assert either.list_credentials() == [single]
    one = f"{either.credentials_path}/{credentials_id}"
    assert success(either.http.get(one)) == single
    assert emulator.state()["distribution_credentials"] == [{
        "distribution_credentials_id": credentials_id, "username": made["username"],
        "secret": made["secret"], "project_id": owner.project_id, "comment": "mine",
        "scopes": described["scopes"], "provider": "quay", "created": described["created"],
        "alive": True, "revoked_at": None,
        "created_by": emulator.state()["keys"][0]["api_key_id"],
    }]
    assert success(either.http.delete(one)) == single
    modern_error(either.http.get(one), 404, "NOT_FOUND")
    modern_error(either.http.delete(one), 404, "NOT_FOUND")
    assert either.list_credentials() == []
    assert not emulator.state()["distribution_credentials"][0]["alive"]


def test_distribution_credentials_scopes_and_provider_from_the_body(owner):
    made = owner.create_credentials({"comment": "c", "scopes": PRODUCTS[:2], "provider": "quay"})
    assert made["distribution_credentials"]["scopes"] == PRODUCTS[:2]


def test_distribution_credentials_defaults(owner):
    made = success(owner.http.post(owner.credentials_path))["distribution_credentials"]
    assert made["scopes"] == ["self-hosted:products"]
    assert made["provider"] == "quay"
    assert "comment" not in made


@pytest.mark.parametrize("params, body", [
    ({"scopes": ["member"]}, {}),
    ({"scopes": ["self-hosted:product:unknown"]}, {}),
    ({"provider": "docker"}, {}),
    ({}, {"scopes": "self-hosted:products"}),
    ({}, {"scopes": []}),
    ({}, {"provider": "docker"}),
])
def test_distribution_credentials_refuses(emulator, owner, params, body):
    answer = owner.http.post(owner.credentials_path, params=params, json=body)
    modern_error(answer, 400, "Bad Request")
    assert emulator.state()["distribution_credentials"] == []


def test_key_and_credentials_ids_are_not_mixed_up(owner):
    key = owner.create_key()["api_key_id"]
    modern_error(owner.http.get(f"{owner.credentials_path}/{key}"), 404, "NOT_FOUND")


# The registry


def registry_auth(emulator, user, password, service="quay.io"):
    return httpx.get(f"{emulator.url}/v2/auth", trust_env=False, auth=(user, password), params={
        "service": service, "scope": "repository:deepgram/self-hosted-api:pull"})


def test_registry_takes_a_living_credential(emulator, owner):
    made = owner.create_credentials()
    token = success(registry_auth(emulator, made["username"], made["secret"]))["token"]
    assert claims_of(token)["access"] == [{
        "type": "repository", "name": "deepgram/self-hosted-api", "actions": ["pull"]}]
    credentials_id = made["distribution_credentials"]["distribution_credentials_id"]
    success(owner.http.delete(f"{owner.credentials_path}/{credentials_id}"))
    assert registry_auth(emulator, made["username"], made["secret"]).status_code == 401


def claims_of(token):
    head, claims, signature = token.split(".")
    return json.loads(base64.urlsafe_b64decode(claims + "==="))


def test_registry_gives_a_token_that_allows_nothing_for_another_product(emulator, owner):
    made = owner.create_credentials(scopes=["self-hosted:product:engine"])
    token = success(registry_auth(emulator, made["username"], made["secret"]))["token"]
    assert claims_of(token)["access"] == [{
        "type": "repository", "name": "deepgram/self-hosted-api", "actions": []}]


def test_registry_refuses_others(emulator, owner):
    made, key = owner.create_credentials(), owner.create_key()
    assert registry_auth(emulator, made["username"], "wrong").status_code == 401
    assert registry_auth(emulator, made["username"][1:], made["secret"]).status_code == 401
    assert registry_auth(emulator, f"deepgram+{key['api_key_id']}", key["key"]).status_code == 401
    assert registry_auth(emulator, f"deepgram+{uuid.uuid4()}", made["secret"]).status_code == 401
    assert registry_auth(emulator, made["username"], made["secret"], "x").status_code == 400
    for header in ("Basic !", "Basic " + base64.b64encode(b"no colon").decode(), "Token x"):
        answer = httpx.get(f"{emulator.url}/v2/auth?service=quay.io", trust_env=False,
                           headers={"Authorization": header})
        assert answer.status_code == 401


# Admin endpoints


def test_admin_projects(emulator):
    wanted = [{"role": "owner", "key": "k" * 40}, {"role": "admin", "scopes": ["usage:read"]}]
    seeded = emulator.add_project(ELSEWHERE, wanted)
    assert seeded["project_id"] == ELSEWHERE
    assert [key["role"] for key in seeded["admin_keys"]] == ["owner", "admin"]
    assert seeded["admin_keys"][0]["key"] == "k" * 40
    more = emulator.add_project(ELSEWHERE)
    assert more["admin_keys"][0]["role"] == "owner"
    state = emulator.state()
    assert state["projects"] == [{"project_id": ELSEWHERE}]
    assert [key["scopes"] for key in state["keys"]] == [
        ["owner"], ["admin", "usage:read"], ["owner"]]
    assert all(key["admin"] and key["created_by"] is None for key in state["keys"])


@pytest.mark.parametrize("body", [
    {"project_id": "x"}, {"project": ELSEWHERE}, {"admin_keys": {}}, {"admin_keys": ["k"]},
    {"admin_keys": [{"role": "boss"}]}, {"admin_keys": [{"key": 1}]},
    {"admin_keys": [{"scopes": "owner"}]}, {"admin_keys": [{"name": "x"}]}, [],
])
def test_admin_projects_refuses(emulator, body):
    answer = httpx.post(f"{emulator.url}/admin/projects", json=body, trust_env=False)
    assert answer.status_code == 400 and answer.json()["error"]
    assert emulator.state()["projects"] == []


def test_admin_state_of_one_project(emulator, owner):
    emulator.add_project()
    owner.create_credentials()
    state = emulator.state(project_id=owner.project_id)
    assert [len(state[part]) for part in ("projects", "keys", "distribution_credentials")] == [
        1, 1, 1]


def test_admin_requests_tell_all(emulator, owner):
    owner.http.headers["User-Agent"] = "tester/1"
    started_ms = time.time() * 1000
    made = owner.create_key("mine", ["member"])
    owner.create_credentials({"comment": "c"}, scopes=PRODUCTS[:2])
    owner.list_keys(status="active")
    registry_auth(emulator, "x", "y")
    requests = emulator.requests()
    assert [entry["seq"] for entry in requests] == [1, 2, 3, 4]
    assert started_ms - 1000 < requests[0].pop("time_ms") < started_ms + 20_000
    assert requests[0] == {
        "seq": 1, "operation": "create_key", "method": "POST", "path": owner.keys_path,
        "query": "", "project_id": owner.project_id, "status": 200, "fault": None, "in_flight": 1,
        "credential_id": made["api_key_id"],
        "auth_key_id": emulator.state()["keys"][0]["api_key_id"],
        "headers": {"content-type": "application/json", "user-agent": "tester/1"},
        "body": {"comment": "mine", "scopes": ["member"]},
    }
    assert requests[1]["query"] == f"scopes={PRODUCTS[0]}&scopes={PRODUCTS[1]}"
    assert requests[2]["query"] == "status=active"
    assert requests[3]["operation"] == "registry_auth"
    assert (requests[3]["status"], requests[3]["auth_key_id"]) == (401, None)


def test_admin_requests_filters(emulator, owner):
    for _ in range(3):
        owner.list_keys()
    owner.create_key()
    assert [entry["seq"] for entry in emulator.requests(since=2)] == [3, 4]
    assert [entry["seq"] for entry in emulator.requests(since=2, operation="list_keys")] == [3]
    assert emulator.requests(since=99) == []
    assert emulator.requests(project_id=ELSEWHERE) == []
    emulator.clear_requests()
    assert emulator.requests() == []
    owner.list_keys()
    assert [entry["seq"] for entry in emulator.requests()] == [5]


def test_admin_revokes_both_kinds(emulator, owner):
    key = owner.create_key()["api_key_id"]
    credentials = owner.create_credentials()["distribution_credentials"]
    emulator.revoke(key)
    emulator.revoke(credentials["distribution_credentials_id"])
    assert key not in owner.listed_ids()
    assert owner.list_credentials() == []
    answer = httpx.delete(f"{emulator.url}/admin/credentials/{key}", trust_env=False)
    assert answer.status_code == 404


def test_admin_reset_forgets_everything(emulator, owner):
    emulator.settings(latency_ms=1, expand_scopes=True)
    emulator.add_fault("*", "lost")
    emulator.reset()
    assert emulator.state() == {"projects": [], "keys": [], "distribution_credentials": []}
    assert emulator.faults() == [] and emulator.requests() == []
    legacy_error(owner.http.get(owner.keys_path), 401, "INVALID_AUTH")


def test_admin_healthz(emulator):
    answer = httpx.get(f"{emulator.url}/admin/healthz", trust_env=False)
    assert (answer.status_code, answer.text) == (200, "ok")


@pytest.mark.parametrize("path, body", [
    ("settings", {"latency": 1}), ("settings", {"latency_ms": -1}),
    ("settings", {"expand_scopes": 1}), ("settings", {"seed": "x"}), ("settings", []),
    ("faults", {"operation": "create_key"}), ("faults", {"kind": "lost"}),
    ("faults", {"operation": "create", "kind": "lost"}),
    ("faults", {"operation": "*", "kind": "loss"}),
    ("faults", {"operation": "*", "kind": "lost", "delay": 1}),
    ("faults", {"operation": "*", "kind": "lost", "count": -2}),
    ("faults", {"operation": "*", "kind": "lost", "count": 1.5}),
    ("faults", {"operation": "*", "kind": "lost", "probability": 2}),
    ("faults", {"operation": "*", "kind": "redirect"}),
    ("faults", {"operation": "*", "kind": "status", "headers": {"a": 1}}),
])
def test_admin_refuses_what_it_does_not_understand(emulator, path, body):
    answer = httpx.post(f"{emulator.url}/admin/{path}", json=body, trust_env=False)
    assert answer.status_code == 400 and answer.json()["error"]
    assert emulator.faults() == []


def test_admin_unknown_endpoint(emulator):
    assert httpx.get(f"{emulator.url}/admin/x", trust_env=False).status_code == 404


# Settings


def test_latency_delays_each_answer_and_blocks_no_other(emulator, owner):
    emulator.settings(latency_ms=400)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        started = time.monotonic()
        made = list(pool.map(lambda _: owner.create_key(), range(16)))
        elapsed = time.monotonic() - started
    assert len({key["api_key_id"] for key in made}) == 16
    assert 0.4 <= elapsed < 16 * 0.4 / 2


def test_requests_tell_how_many_were_being_answered(emulator, owner):
    emulator.settings(latency_ms=300)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: owner.list_keys(), range(4)))
    with pytest.raises(httpx.ReadTimeout):
        owner.http.get(owner.keys_path, timeout=0.05)
    emulator.settings(latency_ms=0)
    time.sleep(0.5)  # the one that gave up counts until its answer is due
    owner.list_keys()
    assert [entry["in_flight"] for entry in emulator.requests()] == [1, 2, 3, 4, 1, 1]


def test_a_client_that_gives_up_waiting_has_made_a_key(emulator, owner):
    emulator.settings(latency_ms=60_000)
    with pytest.raises(httpx.ReadTimeout):
        owner.http.post(owner.keys_path, json={"comment": "c", "scopes": ["member"]}, timeout=0.2)
    assert len(emulator.state()["keys"]) == 2


def test_list_lag(emulator, owner):
    emulator.settings(list_lag_ms=2000)
    key = owner.create_key()["api_key_id"]
    made = owner.create_credentials()["distribution_credentials"]["distribution_credentials_id"]
    assert key not in owner.listed_ids() and owner.list_credentials() == []
    success(owner.http.get(f"{owner.keys_path}/{key}"))
    wait_for(lambda: key in owner.listed_ids(), 10, "the list shows the new key")
    wait_for(owner.list_credentials, 10, "the list shows the new credentials")

    emulator.revoke(key)
    emulator.revoke(made)
    assert key in owner.listed_ids() and len(owner.list_credentials()) == 1
    modern_error(owner.http.get(f"{owner.keys_path}/{key}"), 404, "NOT_FOUND")
    wait_for(lambda: key not in owner.listed_ids(), 10, "the list has lost the key")
    wait_for(lambda: not owner.list_credentials(), 10, "the list has lost the credentials")


def test_expand_scopes(emulator, owner):
    emulator.settings(expand_scopes=True)
    key = owner.create_key(scopes=["self-hosted:products", "member"])
    assert key["scopes"] == [*PRODUCTS, "member"]
    made = owner.create_credentials()
    assert made["distribution_credentials"]["scopes"] == PRODUCTS


def test_repeat_onprem(emulator, owner):
    emulator.settings(repeat_onprem=True)
    key = owner.create_key(scopes=["self-hosted:products", "member"])
    assert key["scopes"] == ["self-hosted:products", "onprem:products", "member"]


def test_other_grants_than_asked_for(emulator, owner):
    emulator.settings(grant_scope="usage:read", grant_seconds=600)
    key = owner.create_key(scopes=["self-hosted:products", "member"])
    assert key["scopes"] == ["usage:read"]
    lifetime = parse_time(key["expiration_date"]) - parse_time(key["created"])
    assert lifetime.total_seconds() == 600
    emulator.settings(grant_scope="", grant_seconds=0)
    assert "expiration_date" not in owner.create_key(scopes=["member"])


def test_nested_credentials(emulator, owner):
    emulator.settings(nested_credentials=True)
    made = owner.create_credentials()
    assert set(made) == {"member", "distribution_credentials"}
    nested = made["distribution_credentials"]
    assert nested["username"] == f"deepgram+{nested['distribution_credentials_id']}"
    assert len(nested["secret"]) == 64


def test_omit_username(emulator, owner):
    emulator.settings(omit_username=True)
    assert set(owner.create_credentials()) == {"member", "distribution_credentials", "secret"}
    emulator.settings(nested_credentials=True)
    assert "username" not in owner.create_credentials()["distribution_credentials"]


def test_seed_repeats_the_draws(emulator, owner):
    def draw():
        emulator.clear_faults()
        emulator.settings(seed=7)
        emulator.add_fault("list_keys", "status", probability=0.5, count=-1)
        return [owner.http.get(owner.keys_path).status_code for _ in range(40)]

    drawn = draw()
    assert set(drawn) == {200, 500}
    assert draw() == drawn


# Faults


def mint(owner):
    """One more key, whatever happens to the answer."""
    return owner.post_key(comment="c", scopes=["member"])


def keys_made(emulator):
    return [key for key in emulator.state()["keys"] if not key["admin"]]


def test_status_fault(emulator, owner):
    emulator.add_fault("create_key", "status", status=429, headers={"Retry-After": "7"})
    answer = mint(owner)
    legacy_error(answer, 429, "TOO_MANY_REQUESTS")
    assert answer.headers["Retry-After"] == "7"
    assert keys_made(emulator) == []
    assert emulator.requests()[0]["status"] == 429
    assert emulator.requests()[0]["fault"] == "status"
    assert emulator.requests()[0]["credential_id"] is None
    assert mint(owner).status_code == 200


def test_status_fault_with_a_body(emulator, owner):
    emulator.add_fault("list_keys", "status", status=403, body={"category": "X"})
    emulator.add_fault("list_keys", "status", status=503, body="busy", content_type="text/busy")
    emulator.add_fault("list_keys", "status")
    answers = [owner.http.get(owner.keys_path) for _ in range(3)]
    assert (answers[0].status_code, answers[0].json()) == (403, {"category": "X"})
    assert (answers[1].status_code, answers[1].text) == (503, "busy")
    assert answers[1].headers["Content-Type"] == "text/busy"
    legacy_error(answers[2], 500, "INJECTED_FAULT")


def test_lost_fault_has_the_effect_but_no_answer(emulator, owner):
    emulator.add_fault("create_key", "lost")
    with pytest.raises(NO_ANSWER):
        mint(owner)
    [key] = keys_made(emulator)
    entry = emulator.requests()[0]
    assert entry["credential_id"] == key["api_key_id"]
    assert (entry["status"], entry["fault"]) == (0, "lost")


def test_late_fault_has_the_effect_afterwards(emulator, owner):
    emulator.add_fault("create_key", "late", delay_ms=500)
    with pytest.raises(NO_ANSWER):
        mint(owner)
    assert keys_made(emulator) == []
    [key] = wait_for(lambda: keys_made(emulator), 10, "the key is made late")
    assert emulator.requests()[0]["credential_id"] == key["api_key_id"]
    assert emulator.requests()[0]["status"] == 0


def test_late_fault_on_a_deletion(emulator, owner):
    made = owner.create_key()["api_key_id"]
    emulator.add_fault("delete_key", "late", delay_ms=200)
    with pytest.raises(NO_ANSWER):
        owner.http.delete(f"{owner.keys_path}/{made}")
    assert keys_made(emulator)[0]["alive"]
    wait_for(lambda: not keys_made(emulator)[0]["alive"], 10, "the key is revoked late")


def test_reset_cancels_what_is_late(emulator):
    key = {"role": "owner", "key": "k" * 40}
    for comment, delay_ms in (("first", 200), ("second", 500)):
        emulator.reset()
        emulator.add_project(ELSEWHERE, [key])
        emulator.add_fault("create_key", "late", delay_ms=delay_ms)
        with pytest.raises(NO_ANSWER):
            Account(emulator, ELSEWHERE, key["key"]).create_key(comment)
    made = wait_for(lambda: keys_made(emulator), 10, "the second key is made late")
    assert [key["comment"] for key in made] == ["second"]


def test_stopping_with_all_kinds_of_things_pending(emulator, owner):
    """Of interest under valgrind and the leak sanitizer."""
    emulator.add_fault("create_key", "late", delay_ms=3_600_000)
    with pytest.raises(NO_ANSWER):
        mint(owner)
    emulator.add_fault("list_keys", "silence")
    with pytest.raises(httpx.ReadTimeout):
        owner.http.get(owner.keys_path, timeout=0.2)
    emulator.add_fault("list_keys", "silence")
    pending = socket.create_connection(("127.0.0.1", int(emulator.url.rpartition(":")[2])))
    pending.sendall(f"GET {owner.keys_path} HTTP/1.1\r\nHost: emulator\r\n\r\n".encode())
    wait_for(lambda: len(emulator.requests()) == 3, 10, "the third request has arrived")
    emulator.stop()
    pending.close()


def test_reset_fault_has_no_effect(emulator, owner):
    emulator.add_fault("create_key", "reset")
    with pytest.raises(httpx.ReadError, match="reset"):
        mint(owner)
    assert keys_made(emulator) == []


def test_cut_fault_has_the_effect_and_half_an_answer(emulator, owner):
    emulator.add_fault("create_key", "cut")
    with owner.http.stream("POST", owner.keys_path,
                           json={"comment": "c", "scopes": ["member"]}) as answer:
        announced = int(answer.headers["Content-Length"])
        received = b""
        with pytest.raises(NO_ANSWER):
            for chunk in answer.iter_raw():
                received += chunk
    assert len(received) == announced // 2
    assert len(keys_made(emulator)) == 1
    assert emulator.requests()[0]["status"] == 200


def test_html_fault(emulator, owner):
    emulator.add_fault("create_key", "html")
    answer = mint(owner)
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "text/html"
    assert keys_made(emulator) == []


@pytest.mark.parametrize("size", [3_000_000, None])
def test_big_fault(emulator, owner, size):
    emulator.add_fault("list_keys", "big", **({"size_bytes": size} if size else {}))
    received = 0
    with owner.http.stream("GET", owner.keys_path) as answer:
        assert "Content-Length" not in answer.headers
        for chunk in answer.iter_raw():
            received += len(chunk)
    assert (size or 50 * 1024 * 1024) <= received < (size or 50 * 1024 * 1024) + 100


def test_big_fault_and_a_client_that_leaves(emulator, owner):
    emulator.add_fault("list_keys", "big", size_bytes=2_000_000_000)
    with owner.http.stream("GET", owner.keys_path) as answer:
        next(answer.iter_raw())
    owner.list_keys()


def test_redirect_fault(emulator, owner):
    emulator.add_fault("create_key", "redirect", location="https://example.com/x")
    answer = mint(owner)
    assert (answer.status_code, answer.headers["Location"]) == (307, "https://example.com/x")
    assert keys_made(emulator) == []


def test_silence_fault(emulator, owner):
    emulator.add_fault("create_key", "silence")
    with pytest.raises(httpx.ReadTimeout):
        owner.http.post(owner.keys_path, json={"comment": "c", "scopes": ["member"]}, timeout=0.2)
    assert keys_made(emulator) == []
    assert len(owner.list_keys()) == 1


def test_silence_fault_ends_after_its_delay(emulator, owner):
    emulator.add_fault("create_key", "silence", delay_ms=300)
    started = time.monotonic()
    with pytest.raises(NO_ANSWER):
        mint(owner)
    assert time.monotonic() - started >= 0.3
    assert keys_made(emulator) == []


def test_garbage_fault(emulator, owner):
    emulator.add_fault("create_key", "garbage")
    answer = mint(owner)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    with pytest.raises(ValueError):
        answer.json()
    assert keys_made(emulator) == []


@pytest.mark.parametrize("nested", [False, True])
def test_no_secret_fault(emulator, owner, nested):
    emulator.settings(nested_credentials=nested)
    emulator.add_fault("*", "no_secret", count=2)
    assert set(owner.create_key()) == {"api_key_id", "comment", "scopes", "created"}
    credentials = owner.create_credentials()
    assert "secret" not in credentials
    assert "secret" not in credentials["distribution_credentials"]
    assert len(keys_made(emulator)) == 1


def test_answering_fault_with_delay(emulator, owner):
    emulator.add_fault("list_keys", "status", status=500, delay_ms=300)
    started = time.monotonic()
    assert owner.http.get(owner.keys_path).status_code == 500
    assert time.monotonic() - started >= 0.3


def test_faults_are_limited_to_operation_project_and_count(emulator, owner):
    other = emulator.add_project()
    emulator.add_fault("list_keys", "status", project_id=other["project_id"], status=500, count=-1)
    emulator.add_fault("list_keys", "status", project_id=owner.project_id, status=502, count=2)
    emulator.add_fault("auth_token", "status", status=503)
    assert mint(owner).status_code == 200
    statuses = [owner.http.get(owner.keys_path).status_code for _ in range(3)]
    assert statuses == [502, 502, 200]
    described = [(fault["fired"], fault["remaining"]) for fault in emulator.faults()]
    assert described == [(0, -1), (2, 0), (0, 1)]
    assert emulator.faults()[1]["status"] == 502
    emulator.clear_faults()
    assert emulator.faults() == []
    assert owner.http.get("/v1/auth/token").status_code == 200


@pytest.mark.parametrize("operation", [
    "list_projects", "create_key", "list_keys", "get_key", "delete_key", "create_credentials",
    "list_credentials", "get_credentials", "delete_credentials", "auth_token", "registry_auth",
])
def test_each_operation_has_its_faults_and_its_name(emulator, owner, operation):
    calls = {
        "list_projects": ("GET", "/v1/projects"),
        "create_key": ("POST", owner.keys_path),
        "list_keys": ("GET", owner.keys_path),
        "get_key": ("GET", f"{owner.keys_path}/{ELSEWHERE}"),
        "delete_key": ("DELETE", f"{owner.keys_path}/{ELSEWHERE}"),
        "create_credentials": ("POST", owner.credentials_path),
        "list_credentials": ("GET", owner.credentials_path),
        "get_credentials": ("GET", f"{owner.credentials_path}/{ELSEWHERE}"),
        "delete_credentials": ("DELETE", f"{owner.credentials_path}/{ELSEWHERE}"),
        "auth_token": ("GET", "/v1/auth/token"),
        "registry_auth": ("GET", "/v2/auth"),
    }
    emulator.add_fault(operation, "status", status=599, count=-1)
    answered = {name: owner.http.request(*call).status_code for name, call in calls.items()}
    assert [name for name, status in answered.items() if status == 599] == [operation]
    assert [entry["operation"] for entry in emulator.requests()] == list(calls)


def test_faults_spare_the_admin_endpoints(emulator):
    emulator.add_fault("*", "lost", count=-1)
    assert emulator.faults()[0]["fired"] == 0


# The program


def test_keep_alive(emulator, owner):
    """All requests of a client go over one connection, also after errors."""
    for _ in range(5):
        owner.list_keys()
        mint(owner)
        owner.http.get("/v1/nothing")
    pool = owner.http._transport._pool  # noqa: SLF001
    assert [connection.info() for connection in pool.connections] == [
        "'" + emulator.url + "', HTTP/1.1, IDLE, Request Count: 15"]


def test_many_connections(emulator, owner):
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        accounts = [Account(emulator, owner.project_id, owner.key) for _ in range(64)]
        for _ in pool.map(lambda one: [one.create_key() for _ in range(10)], accounts):
            pass
    assert len({key["key"] for key in keys_made(emulator)}) == 640


def test_body_in_pieces(emulator, owner):
    """Larger than any buffer on the way, in both directions."""
    comment = "x" * 300_000
    assert owner.create_key(comment)["comment"] == comment
    assert owner.list_keys()[1]["comment"] == comment


def test_tls(tmp_path):
    certificate, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=emulator", "-addext",
         "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True, timeout=30)
    with Emulator.start("--tls-cert", certificate, "--tls-key", key,
                        ca_file=certificate) as emulator:
        assert emulator.url.startswith("https://127.0.0.1:")
        emulator.add_project(ELSEWHERE)
        assert emulator.state()["projects"] == [{"project_id": ELSEWHERE}]


def test_latency_option():
    with Emulator.start("--latency-ms", "200") as emulator:
        started = time.monotonic()
        assert httpx.get(f"{emulator.url}/v1/auth/token", trust_env=False).status_code == 401
        assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize("flags", [
    ["--unknown"], ["--listen", "nonsense"], ["--listen", "127.0.0.1:x"], ["--latency-ms", "-1"],
    ["--tls-cert", "only-this"], ["extra"],
])
def test_wrong_options(flags):
    with pytest.raises(AssertionError, match=r"(?s)ended with 1: .*usage: "):
        Emulator.start(*flags)


def test_port_in_use(emulator):
    with pytest.raises(AssertionError, match="ended with 1"):
        Emulator.start(listen=emulator.url.removeprefix("http://"))
