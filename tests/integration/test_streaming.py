"""A published key is tried out where it is to serve, before the old one goes."""

import json
import socket
import threading
import time

import httpx
import pytest

from checks import balanced, no_trouble
from conftest import delete_namespace
from emulator import Emulator
from polling import wait_for
from process import free_port
from resources import Tenant, condition

KEY = "DeepgramApiKey"
SECOND_OF_SOUND = 32000


def stream_url(emulator):
    return emulator.url.replace("http", "ws", 1)


def verify(url, **more):
    return {"verify": {"streaming": {"url": url, **more}}}


def pod(tenant, name="consumer"):
    tenant.client.post(f"/api/v1/namespaces/{tenant.namespace}/pods", {
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "api", "image": "api",
                                 "envFrom": [{"secretRef": {"name": "api-key"}}]}]},
    })


def drop_pod(tenant, name="consumer"):
    tenant.client.delete(f"/api/v1/namespaces/{tenant.namespace}/pods/{name}")


def streams(emulator):
    return emulator.requests(operation="listen")


def rotate(tenant, token):
    tenant.patch(KEY, "api-key", {"metadata": {"annotations": {"deepgram.com/rotate": token}}})


def rotated(tenant, revision):
    def there():
        found = tenant.find(KEY, "api-key")
        assert found["status"]["revision"] == revision, found["status"]
        return found

    return wait_for(there, 10, f"revision {revision} is published")


def states(tenant):
    return [entry["state"] for entry in tenant.find(KEY, "api-key")["status"]["revisions"]]


def published_with_pod(tenant, url, **spec):
    """Made without pods first: the pod has to be newer than the publication."""
    tenant.api_key(**verify(url, **spec))
    tenant.wait_ready(KEY, "api-key")
    time.sleep(6.5)
    pod(tenant)


# ---- it works ----


def test_a_key_is_tried_out_once_pods_use_it_and_not_again_after_a_restart(tenant, operator):
    first = operator()
    url = stream_url(tenant.emulator)
    tenant.api_key(**verify(url))
    tenant.wait_ready(KEY, "api-key")
    told = tenant.wait_condition(KEY, "api-key", "Verified", "Unknown", "AwaitingConsumers")
    assert "once pods use the Secret" in told["message"]
    time.sleep(6.5)
    assert streams(tenant.emulator) == []
    pod(tenant)
    told = tenant.wait_condition(KEY, "api-key", "Verified", "True", "Answered")
    assert told["message"].startswith(f"Revision 1: {url} answered in ")
    assert "(model general-nova-3, 1 channel, 1 s heard)" in told["message"]
    [stream] = streams(tenant.emulator)
    found = tenant.find(KEY, "api-key")
    no_trouble(found)
    assert stream["auth_key_id"] == found["status"]["id"]
    assert stream["path"] == "/v1/listen" and stream["status"] == 101
    assert stream["query"] == "encoding=linear16&sample_rate=16000"
    assert stream["audio_bytes"] == SECOND_OF_SOUND
    first.stop()
    operator()
    time.sleep(3)
    again = tenant.find(KEY, "api-key")
    assert again["metadata"]["resourceVersion"] == found["metadata"]["resourceVersion"]
    assert len(streams(tenant.emulator)) == 1


def told_to_have_failed(tenant):
    return [event for event in tenant.all_events() if event["reason"] == "VerifyFailed"]


def test_the_old_key_lives_until_the_new_one_was_answered(tenant, operator):
    first = operator()
    tenant.api_key(**verify(stream_url(tenant.emulator)), rotation={"overlap": "1s"})
    old = tenant.wait_ready(KEY, "api-key")["status"]["id"]
    tenant.emulator.add_fault("listen", "status", status=401, count=-1)
    rotate(tenant, "1")
    new = rotated(tenant, 2)["status"]["id"]
    told = tenant.wait_condition(KEY, "api-key", "Verified", "False", "VerifyFailed")
    assert "doesn't accept the new key (401)" in told["message"]
    first.stop()
    tried = len(streams(tenant.emulator))
    operator()
    wait_for(lambda: len(streams(tenant.emulator)) >= tried + 2, 20, "it is tried again")
    assert sorted(tenant.live()) == sorted([old, new])
    assert len(told_to_have_failed(tenant)) == 1  # not again by who comes next
    no_trouble(tenant.find(KEY, "api-key"))  # the published key serves
    tenant.emulator.clear_faults()
    tenant.wait_condition(KEY, "api-key", "Verified", "True", "Answered", timeout=30)
    wait_for(lambda: tenant.live() == [new], 5, "the old key is revoked")
    assert streams(tenant.emulator)[-1]["auth_key_id"] == new
    assert len(tenant.creates()) == 2 and balanced(tenant)


def test_another_address_is_tried_as_well_and_none_ends_it(tenant, operator):
    operator()
    with Emulator.start() as elsewhere:
        published_with_pod(tenant, stream_url(tenant.emulator))
        tenant.wait_condition(KEY, "api-key", "Verified", "True")
        other = f"{stream_url(elsewhere)}/v1/listen"
        tenant.patch(KEY, "api-key", {"spec": verify(other)})
        told = tenant.wait_condition(KEY, "api-key", "Verified", "False")  # doesn't know the key
        assert "doesn't accept the new key (401)" in told["message"] and other in told["message"]
        tenant.patch(KEY, "api-key", {"spec": {"verify": None}})

        def gone():
            assert condition(tenant.find(KEY, "api-key"), "Verified") is None
            return True

        wait_for(gone, 5, "the condition is gone")


def test_over_tls_with_a_private_ca(tenant, control_plane, operator):
    """The names of the certificate hold for an address and for a name."""
    certificate, key = control_plane.pki.server
    with Emulator.start(f"--tls-cert={certificate}", f"--tls-key={key}",
                        ca_file=control_plane.pki.ca) as secured:
        seeded = secured.add_project(tenant.project_id)
        own = Tenant(control_plane, secured, tenant.namespace, project=seeded)
        own.put_admin_secret()
        operator(f"--deepgram-url={secured.url}", f"--registry-url={secured.url}",
                 f"--ca-file={control_plane.pki.ca}")
        for host in ("127.0.0.1", "localhost"):
            url = stream_url(secured).replace("127.0.0.1", host)
            if host == "127.0.0.1":
                published_with_pod(own, url)
            else:
                own.patch(KEY, "api-key", {"spec": verify(url)})

            def answered():
                told = condition(own.find(KEY, "api-key"), "Verified")
                assert told["status"] == "True" and url in told["message"], told
                return True

            wait_for(answered, 10, f"{url} answers")
        assert {stream["status"] for stream in streams(secured)} == {101}


def test_a_certificate_for_another_name(tenant, control_plane, operator):
    operator(f"--ca-file={control_plane.pki.ca}")
    certificate, key = control_plane.pki.server
    with Emulator.start(f"--tls-cert={certificate}", f"--tls-key={key}", listen="127.0.0.2:0",
                        ca_file=control_plane.pki.ca) as secured:
        published_with_pod(tenant, stream_url(secured))
        told = tenant.wait_condition(KEY, "api-key", "Verified", "False", "VerifyFailed")
        assert "its certificate isn't accepted: IP address mismatch" in told["message"], told
        seen = httpx.get(f"{secured.url}/admin/requests", verify=False, trust_env=False)
        assert seen.json()["requests"] == []  # nobody saw the key


# ---- it fails in every way ----


def server(answer):
    """A TCP server that hands each connection to `answer`; returns its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                answer(connection)

    threading.Thread(target=serve, daemon=True).start()
    return listener


@pytest.fixture(scope="module")
def stalled(control_plane, shared_emulator, shared_operator, module_namespace):
    """A key of which only the trial is missing: each case changes the address or the fault."""
    found = Tenant(control_plane, shared_emulator, module_namespace)
    found.put_admin_secret()
    published_with_pod(found, stream_url(shared_emulator))
    found.wait_condition(KEY, "api-key", "Verified", "True")
    return found


@pytest.fixture(scope="module")
def module_namespace(control_plane):
    name = f"streaming-{time.time_ns()}"
    control_plane.client.post("/api/v1/namespaces", {"metadata": {"name": name}})
    yield name
    delete_namespace(control_plane.client, name)


def fails_with(tenant, url, *words, timeout="5s"):
    tenant.patch(KEY, "api-key", {"spec": verify(url, timeout=timeout)})

    def told():
        found = condition(tenant.find(KEY, "api-key"), "Verified")
        assert found["status"] == "False" and url in found["message"], found
        assert all(word in found["message"] for word in words), found
        return found

    found = wait_for(told, 30, f"{url} fails with {words}")
    assert condition(tenant.find(KEY, "api-key"), "Ready")["status"] == "True"
    print(found["message"])
    return found["message"]


FAULTS = [
    ({"kind": "status", "status": 401}, "doesn't accept the new key (401)"),
    ({"kind": "status", "status": 503}, "answered with 503 where 101 opens a stream"),
    ({"kind": "redirect", "location": "http://127.0.0.1:1/"}, "answered with 307"),
    ({"kind": "html"}, "answered with 200"),
    ({"kind": "lost"}, "closed the connection before it answered"),
    ({"kind": "cut"}, "doesn't speak Deepgram's streaming protocol"),
    ({"kind": "garbage"}, "doesn't speak Deepgram's streaming protocol"),
    ({"kind": "big", "size_bytes": 1 << 20}, "too large"),
    ({"kind": "silence"}, "didn't answer within 5s"),
    ({"kind": "reset"}, "can't be reached"),
]


@pytest.mark.parametrize("fault, words", FAULTS, ids=[fault["kind"] + str(fault.get("status", ""))
                                                      for fault, _ in FAULTS])
def test_a_failure_is_told(stalled, fault, words):
    fails_with(stalled, "ws://127.0.0.1:1", "can't be reached")  # so that the other is tried anew
    stalled.emulator.add_fault("listen", **fault, count=-1)
    try:
        fails_with(stalled, f"{stream_url(stalled.emulator)}/v1/listen", words)
    finally:
        stalled.emulator.clear_faults()


def test_an_answer_that_takes_its_time_is_waited_for(stalled):
    stalled.emulator.settings(latency_ms=3000)
    url = f"{stream_url(stalled.emulator)}/"
    stalled.patch(KEY, "api-key", {"spec": verify(url)})
    try:
        def answered():
            told = condition(stalled.find(KEY, "api-key"), "Verified")
            assert told["status"] == "True" and url in told["message"], told
            return True

        wait_for(answered, 20, "it answers")
    finally:
        stalled.emulator.settings(latency_ms=0)


def test_nobody_there_and_no_such_name(stalled):
    fails_with(stalled, f"ws://127.0.0.1:{free_port()}", "can't be reached")
    fails_with(stalled, "ws://nobody.invalid", "can't be reached")


def test_a_server_that_says_nothing_at_all(stalled):
    with server(lambda connection: time.sleep(20)) as listener:
        port = listener.getsockname()[1]
        fails_with(stalled, f"ws://127.0.0.1:{port}", "didn't answer within 5s")


def test_a_server_that_talks_something_else(stalled):
    def ftp(connection):
        connection.recv(4096)
        connection.sendall(b"220 ftp ready\r\n" * 100)

    with server(ftp) as listener:
        fails_with(stalled, f"ws://127.0.0.1:{listener.getsockname()[1]}", "can't be reached")


def test_a_certificate_that_nobody_trusts(stalled, control_plane):
    certificate, key = control_plane.pki.server
    with Emulator.start(f"--tls-cert={certificate}", f"--tls-key={key}",
                        ca_file=control_plane.pki.ca) as secured:
        fails_with(stalled, stream_url(secured), "can't be reached",
                   "its certificate isn't accepted: unable to get local issuer certificate")


def test_plain_where_tls_is_expected(stalled):
    fails_with(stalled, stream_url(stalled.emulator).replace("ws:", "wss:"),
               "the TLS handshake failed")


def test_the_key_is_in_no_event_and_no_status(stalled):
    value = stalled.data("api-key")["DEEPGRAM_API_KEY"]
    assert told_to_have_failed(stalled)
    assert value not in json.dumps(stalled.all_events())
    assert value not in json.dumps(stalled.find(KEY, "api-key"))
