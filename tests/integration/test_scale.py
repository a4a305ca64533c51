"""Many resources at once: all become Ready, each with its own namespace's key, and all go again."""

import base64
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import delete_namespace
from polling import wait_for
from resources import GROUP, PLURALS, Tenant, condition, docker_login

KINDS = tuple(PLURALS)
CLIENTS = 8  # that create objects at the same time


def in_parallel(function, *arguments):
    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(function, *arguments))


def resources(plane, namespace=None):
    """All of them, of both kinds."""
    within = f"namespaces/{namespace}/" if namespace else ""
    return [
        {**item, "kind": kind} for kind, plural in PLURALS.items()
        for item in plane.client.get(f"{GROUP}/{within}{plural}")["items"]
    ]


def wait_all_ready(plane, count, timeout, namespace=None):
    def all_ready():
        found = resources(plane, namespace)
        not_ready = [
            condition(item, "Ready") for item in found
            if condition(item, "Ready")["status"] != "True"
        ]
        assert len(found) == count
        assert not not_ready, f"{len(not_ready)} are not Ready, the first: {not_ready[0]}"
        return found

    return wait_for(all_ready, timeout, f"{count} resources are Ready", interval=0.5)


def cpu_ms(process):
    return process.cpu_seconds() * 1000


# ---- one namespace ----


def test_a_new_resource_is_ready_within_two_seconds(tenant, operator, say):
    tenant.emulator.settings(latency_ms=50)
    operator()
    for kind in KINDS:
        tenant.create(kind, PLURALS[kind])
        started = time.monotonic()
        tenant.wait_ready(kind, PLURALS[kind], timeout=2)
        say(f"{kind} Ready after {time.monotonic() - started:.2f} s")


def test_three_hundred_at_once_and_their_namespace_deleted(control_plane, tenant, operator, say):
    process = operator()
    wanted = [(kind, f"{PLURALS[kind]}-{index}") for index in range(150) for kind in KINDS]
    started = time.monotonic()
    in_parallel(lambda one: tenant.create(*one), wanted)
    created = time.monotonic()
    wait_all_ready(control_plane, 300, 60, tenant.namespace)
    say(f"300 resources: created in {created - started:.1f} s, "
        f"all Ready after {time.monotonic() - started:.1f} s, {cpu_ms(process):.0f} ms CPU")
    assert len(tenant.creates()) == 300 and len(tenant.live()) == 300

    started = time.monotonic()
    control_plane.client.delete(f"/api/v1/namespaces/{tenant.namespace}")
    wait_for(lambda: control_plane.client.find(f"/api/v1/namespaces/{tenant.namespace}") is None,
             90, "the namespace is gone", interval=0.5)
    say(f"300 resources: revoked and their namespace gone after {time.monotonic() - started:.1f} s")
    assert tenant.live() == []
    assert len(tenant.creates()) == 300
    assert resources(control_plane, tenant.namespace) == []


# ---- many namespaces ----


@pytest.fixture
def tenants(control_plane, emulator):
    """A hundred namespaces, each with a project and an admin key of its own."""
    run = uuid.uuid4().hex[:6]

    def make(index):
        name = f"scale-{run}-{index}"
        control_plane.client.post("/api/v1/namespaces", {"metadata": {"name": name}})
        tenant = Tenant(control_plane, emulator, name)
        tenant.put_admin_secret()
        return tenant

    made = in_parallel(make, range(100))
    yield made
    in_parallel(lambda tenant: delete_namespace(control_plane.client, tenant.namespace), made)


def test_a_thousand_in_a_hundred_namespaces_never_mix_keys(
        control_plane, emulator, tenants, operator, say):
    process = operator()
    wanted = [
        (tenant, kind, f"{PLURALS[kind]}-{index}")
        for index in range(5) for tenant in tenants for kind in KINDS
    ]
    started = time.monotonic()
    in_parallel(lambda one: one[0].create(*one[1:]), wanted)
    created = time.monotonic()
    found = wait_all_ready(control_plane, 1000, 120)
    say(f"1000 resources in 100 namespaces: created in {created - started:.1f} s, "
        f"all Ready after {time.monotonic() - started:.1f} s, {cpu_ms(process):.0f} ms CPU, "
        f"{process.rss_kib() / 1024:.1f} MiB resident")

    owner = {tenant.namespace: tenant for tenant in tenants}
    credentials = issued(emulator)
    published = values_of_targets(control_plane, found)
    assert len(credentials) == 1000
    for resource in found:
        namespace, name = resource["metadata"]["namespace"], resource["metadata"]["name"]
        made = credentials.pop(resource["status"]["id"])
        assert made["alive"]
        assert made["project_id"] == owner[namespace].project_id
        assert made["created_by"] == owner[namespace].admin_key_id
        assert made["comment"].startswith(f"{namespace}/{name} ")
        assert published[namespace, name] == made.get("key", made.get("secret"))

    started = time.monotonic()
    in_parallel(lambda tenant: control_plane.client.delete(
        f"/api/v1/namespaces/{tenant.namespace}"), tenants)
    wait_for(lambda: resources(control_plane) == [], 120, "all resources are gone", interval=0.5)
    say(f"1000 resources: gone with their 100 namespaces after {time.monotonic() - started:.1f} s")
    assert not any(one["alive"] for one in issued(emulator).values())


def issued(emulator):
    """Every credential that was ever made, by its id."""
    state = emulator.state()
    keys = {key["api_key_id"]: key for key in state["keys"] if not key["admin"]}
    return keys | {one["distribution_credentials_id"]: one
                   for one in state["distribution_credentials"]}


def values_of_targets(plane, found):
    """What each resource's target Secret holds, by its namespace and name."""
    secrets = {
        (secret["metadata"]["namespace"], secret["metadata"]["name"]): secret.get("data", {})
        for secret in plane.client.get("/api/v1/secrets")["items"]
    }

    def value(resource):
        data = secrets[resource["metadata"]["namespace"], resource["status"]["secretName"]]
        (text,) = (base64.b64decode(entry).decode() for entry in data.values())
        return docker_login(text)[1] if resource["kind"] == "DeepgramPullSecret" else text

    return {
        (item["metadata"]["namespace"], item["metadata"]["name"]): value(item) for item in found
    }
