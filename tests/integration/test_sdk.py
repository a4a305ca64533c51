"""Deepgram's own SDKs work against the emulator, so what it emulates is what they believe in.

They parse leniently: a call that succeeds proves the path, the query and the authorisation. So the
values are compared too, in the SDK's results and in what the emulator saw and keeps.
"""

import datetime
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest
import websockets
from deepgram import DeepgramClient
from deepgram.environment import DeepgramClientEnvironment

from emulator import REPOSITORY

JS_SOURCE = Path(__file__).parent / "sdk-js"
JS_BUILD = REPOSITORY / "build" / "sdk-js"

KEY = {
    "comment": "made by an SDK",
    "scopes": ["member", "self-hosted:product:api", "self-hosted:product:engine"],
    "tags": ["one", "two"],
    "time_to_live_in_seconds": 3600,
}
CREDENTIALS = {
    "comment": "pulled by an SDK",
    "scopes": ["self-hosted:product:api", "self-hosted:product:engine"],
    "provider": "quay",
}
OPERATIONS = [
    "create_key", "list_keys", "get_key", "delete_key",
    "create_credentials", "list_credentials", "get_credentials", "delete_credentials",
]


def drive_python(url, api_key, project_id):
    elsewhere = "ws://127.0.0.1:1"
    with httpx.Client(trust_env=False, timeout=20) as http:
        client = DeepgramClient(
            api_key=api_key, httpx_client=http,
            environment=DeepgramClientEnvironment(
                base=url, production=elsewhere, agent=elsewhere, agent_rest=url))
        keys = client.manage.v1.projects.keys
        credentials = client.self_hosted.v1.distribution_credentials
        results = {"created_key": keys.create(project_id, request=KEY)}
        key_id = results["created_key"].api_key_id
        results["listed_keys"] = keys.list(project_id, status="active")
        results["got_key"] = keys.get(project_id, key_id)
        results["deleted_key"] = keys.delete(project_id, key_id)

        made = credentials.create(project_id, **CREDENTIALS)
        made_id = made.distribution_credentials.distribution_credentials_id
        results["created_credentials"] = made
        results["listed_credentials"] = credentials.list(project_id)
        results["got_credentials"] = credentials.get(project_id, made_id)
        results["deleted_credentials"] = credentials.delete(project_id, made_id)
    return {name: json.loads(result.json()) for name, result in results.items()}


def drive_javascript(url, api_key, project_id):
    told = {"url": url, "apiKey": api_key, "projectId": project_id, "key": KEY,
            "credentials": CREDENTIALS}
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    ran = subprocess.run(["node", "drive.js"], cwd=javascript_sdk(), input=json.dumps(told),
                         capture_output=True, text=True, timeout=60, env=environment)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def javascript_sdk():
    """The directory with driver and SDK, installed once for each lock file."""
    provide_node()
    sources = [JS_SOURCE / name for name in (".npmrc", "package.json", "package-lock.json")]
    key = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    installed = JS_BUILD / "installed"
    if not installed.exists() or installed.read_text() != key:
        JS_BUILD.mkdir(parents=True, exist_ok=True)
        for source in sources:
            shutil.copy(source, JS_BUILD)
        run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=JS_BUILD)
        installed.write_text(key)
    shutil.copy(JS_SOURCE / "drive.js", JS_BUILD)
    return JS_BUILD


def provide_node():
    if shutil.which("npm"):
        return
    if not shutil.which("apt-get") or os.geteuid() != 0:
        pytest.skip("neither npm nor the means to install it: install nodejs and npm")
    run("apt-get", "update", "-q")
    run("apt-get", "install", "-qy", "--no-install-recommends", "nodejs", "npm")


def run(*command, cwd=None):
    ran = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, f"{command}: {ran.stdout}{ran.stderr}"


@pytest.fixture(params=[drive_python, drive_javascript], ids=["python", "javascript"])
def drive(request):
    return request.param


@pytest.fixture
def project(emulator):
    seeded = emulator.add_project()
    return seeded["project_id"], seeded["admin_keys"][0]


def test_sdk(emulator, project, drive):
    project_id, admin_key = project
    results = drive(emulator.url, admin_key["key"], project_id)
    state = emulator.state()
    [key] = [key for key in state["keys"] if not key["admin"]]
    [credentials] = state["distribution_credentials"]
    check_key(results, key, admin_key["api_key_id"])
    check_credentials(results, credentials)
    check_requests(emulator.requests(), project_id, key, credentials)


def check_key(results, key, admin_key_id):
    created = results["created_key"]
    assert created["api_key_id"] == key["api_key_id"]
    assert created["key"] == key["key"]
    for name in ("comment", "scopes", "tags"):
        assert created[name] == key[name] == KEY[name]
    assert same_time(created["expiration_date"], key["expiration_date"])

    listed = {
        entry["api_key"]["api_key_id"]: entry["api_key"]
        for entry in results["listed_keys"]["api_keys"]
    }
    assert set(listed) == {admin_key_id, key["api_key_id"]}
    member = results["got_key"]["item"]["member"]
    assert member["member_id"] and "@" in member["email"]
    for shown in (listed[key["api_key_id"]], member["api_key"]):
        assert shown["api_key_id"] == key["api_key_id"]
        assert (shown["comment"], shown["scopes"]) == (KEY["comment"], KEY["scopes"])
        assert same_time(shown["created"], key["created"])
        assert "key" not in shown

    assert results["deleted_key"]["message"]
    assert not key["alive"] and key["revoked_at"] and key["created_by"] == admin_key_id


def check_credentials(results, credentials):
    created = results["created_credentials"]
    assert created["username"] == credentials["username"]
    assert created["secret"] == credentials["secret"]
    [listed] = results["listed_credentials"]["distribution_credentials"]
    for shown in (created, listed, results["got_credentials"], results["deleted_credentials"]):
        assert shown["member"]["member_id"] and "@" in shown["member"]["email"]
        described = shown["distribution_credentials"]
        for name in ("distribution_credentials_id", "comment", "scopes", "provider"):
            assert described[name] == credentials[name]
        assert same_time(described["created"], credentials["created"])
    assert "secret" not in listed
    for name, value in CREDENTIALS.items():
        assert credentials[name] == value
    assert not credentials["alive"] and credentials["revoked_at"]


def check_requests(requests, project_id, key, credentials):
    assert [entry["operation"] for entry in requests] == OPERATIONS
    assert {entry["status"] for entry in requests} == {200}
    assert {entry["project_id"] for entry in requests} == {project_id}
    assert requests[0]["body"] == KEY
    assert requests[1]["query"] == "status=active"
    create = requests[4]
    assert create["body"] == {"comment": CREDENTIALS["comment"]}
    assert sorted(create["query"].split("&")) == sorted(
        ["provider=quay", *(f"scopes={scope}" for scope in CREDENTIALS["scopes"])])
    affected = [entry["credential_id"] for entry in requests]
    key_id, made_id = key["api_key_id"], credentials["distribution_credentials_id"]
    assert affected == [key_id, None, key_id, key_id, made_id, None, made_id, made_id]


def same_time(one, other):
    return datetime.datetime.fromisoformat(one) == datetime.datetime.fromisoformat(other)


# ---- streaming ----


@pytest.fixture
def live(emulator):
    """Streams a second of sound with Deepgram's own client; returns the messages."""
    key = emulator.add_project()["admin_keys"][0]["key"]
    address = emulator.url.replace("http", "ws", 1)

    def stream(api_key=key, finalize=False):
        client = DeepgramClient(
            api_key=api_key,
            environment=DeepgramClientEnvironment(
                base=emulator.url, production=address, agent=address, agent_rest=emulator.url))
        with client.listen.v1.connect(
                model="nova-3", encoding="linear16", sample_rate=16000) as socket:
            for _ in range(10):
                socket.send_media(SOUND)
            socket.send_keep_alive()
            if finalize:
                socket.send_finalize()
            socket.send_close_stream()
            return list(socket)

    return stream


SOUND = b"\x01\x00" * 1600  # a tenth of a second


def test_the_python_sdk_streams(emulator, live):
    results, metadata = live()
    assert (results.type, metadata.type) == ("Results", "Metadata")
    assert results.channel.alternatives[0].transcript == "" and results.duration == 1.0
    assert results.is_final and results.metadata.model_info.name == "general-nova-3"
    assert results.metadata.request_id == metadata.request_id
    assert metadata.duration == 1.0 and metadata.channels == 1
    assert metadata.sha256 == hashlib.sha256(SOUND * 10).hexdigest()
    [request] = emulator.requests(operation="listen")
    assert request["status"] == 101 and request["audio_bytes"] == 32000
    assert request["auth_key_id"]


def test_the_python_sdk_gets_what_is_there_when_it_asks(live):
    results, finalized, metadata = live(finalize=True)
    assert not results.from_finalize and finalized.from_finalize
    assert finalized.duration == 0 and metadata.type == "Metadata"


def test_the_python_sdk_is_refused_with_a_dead_key(live):
    with pytest.raises(websockets.exceptions.InvalidStatus) as refused:
        live("0" * 40)
    assert refused.value.response.status_code == 401


@pytest.mark.parametrize("fault", ["lost", "cut"])
def test_the_python_sdk_sees_a_stream_that_breaks(emulator, live, fault):
    emulator.add_fault("listen", fault)
    with pytest.raises(websockets.exceptions.ConnectionClosedError):
        live()
