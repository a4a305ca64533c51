"""Fixtures of the integration tests: one control plane for the session, the rest for each test."""

import contextlib
import re
import sys
import uuid

import pytest
import yaml

import operator_process
from api_client import ApiError
from controlplane import REPOSITORY, ControlPlane, MissingBinary
from counts import (  # noqa: F401, pytest calls them
    pytest_collectreport,
    pytest_runtest_logreport,
    pytest_sessionfinish,
)
from operator_process import OperatorProcess
from polling import wait_for
from proxy import TcpProxy
from resources import Tenant

CRDS = REPOSITORY / "crds"
RBAC = REPOSITORY / "manifests" / "rbac.yaml"

# What the next test's operator could see of this one's, or what may carry our finalizers.
CLEARED = (
    "/api/v1/namespaces/{}/pods",
    "/api/v1/namespaces/{}/secrets",
    "/apis/deepgram.com/v1alpha1/namespaces/{}/deepgramapikeys",
    "/apis/deepgram.com/v1alpha1/namespaces/{}/deepgrampullsecrets",
)


@pytest.fixture(scope="session")
def say(pytestconfig):
    """Prints a line at once, past pytest's capture; on stderr, which pytest-xdist leaves alone."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def print_line(text):
        with capture.global_and_fixture_disabled():
            print(f"\n{text}", end="", flush=True, file=sys.stderr)

    return print_line


@pytest.fixture(scope="session")
def control_plane(say):
    """etcd, API server and controller manager, with our CRDs and RBAC: no nodes, no pods run."""
    plane = ControlPlane(parts={"kcm"}, say=say)
    try:
        plane.start()
        install_manifests(plane)
        yield plane
    except MissingBinary as missing:
        pytest.fail(str(missing), pytrace=False)
    finally:
        plane.stop()


@pytest.fixture(scope="session")
def cluster(control_plane):
    """The same control plane with scheduler, kwok and three fake nodes, on which pods "run"."""
    try:
        control_plane.add_parts("scheduler", "kwok")
    except MissingBinary as missing:
        pytest.skip(str(missing))
    control_plane.add_nodes(3)
    return control_plane


@pytest.fixture
def namespace(control_plane, request):
    """The name of a fresh namespace, which goes at the end with all in it."""
    slug = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:40].strip("-")
    name = f"{slug}-{uuid.uuid4().hex[:6]}"
    client = control_plane.client
    client.post("/api/v1/namespaces", {"metadata": {"name": name}})
    wait_for(
        lambda: client.find(f"/api/v1/namespaces/{name}/serviceaccounts/default"),
        20, f"namespace {name} has its default ServiceAccount",
    )
    yield name
    delete_namespace(client, name)


@pytest.fixture
def emulator():
    """A fresh Deepgram emulator."""
    from emulator import Emulator

    with Emulator.start() as running:
        yield running


@pytest.fixture
def tenant(control_plane, emulator, namespace):
    """The namespace with a project of its own, whose admin Secret is there."""
    found = Tenant(control_plane, emulator, namespace)
    found.put_admin_secret()
    return found


@pytest.fixture
def proxy(control_plane):
    """A way to the API server that can be cut and frozen."""
    with TcpProxy(control_plane.port) as running:
        yield running


@pytest.fixture
def operator(control_plane, emulator, tmp_path):
    """operator(*flags, server=None, env=None, wait_ready=True) starts one more operator process.

    `server` is the API server's URL when it is to be reached through a proxy. Later flags win over
    the defaults. At the end each process that the test did not end must still run and stop cleanly,
    and the log of each is searched for sanitizer reports and for secret values.
    """
    with operators(control_plane, emulator, tmp_path) as start:
        yield start


@pytest.fixture(scope="module")
def shared_emulator():
    """One Deepgram emulator for the tests of a module, which keep to a project each."""
    from emulator import Emulator

    with Emulator.start() as running:
        yield running


@pytest.fixture(scope="module")
def shared_operator(control_plane, shared_emulator, tmp_path_factory):
    """One operator for the tests of a module, which keep to a namespace each."""
    directory = tmp_path_factory.mktemp("operator")
    with operators(control_plane, shared_emulator, directory) as start:
        yield start("--settle=2s")


@pytest.fixture(scope="module")
def told(cluster, shared_emulator, tmp_path_factory, request, say):
    """What went wrong with each of the file's stories that were asked for, which are all run at once
    (rotation_rig.py): its tests are parametrized by `story`."""
    from rotation_rig import Stage

    stage = Stage(cluster, shared_emulator, tmp_path_factory.mktemp("rotation"))
    found = stage.run_all([item.callspec.params["story"] for item in request.session.items
                           if item.module is request.module and "told" in item.fixturenames], say)
    say(stage.sampler.summary())
    return found


@contextlib.contextmanager
def operators(control_plane, emulator, directory):
    started = []
    account = (operator_process.NAMESPACE, operator_process.SERVICE_ACCOUNT)

    def start(*flags, server=None, env=None, wait_ready=True):
        process = OperatorProcess(
            control_plane.kubeconfig_for(*account, server=server),
            directory / f"operator-{len(started)}.log",
            [f"--deepgram-url={emulator.url}", f"--registry-url={emulator.url}", *flags],
            env,
        )
        started.append(process)
        return process.start(wait_ready)

    try:
        yield start
        secrets = known_secrets(emulator, started)
        for process in started:
            finish(process, secrets)
    finally:
        for process in started:
            process.kill()
        # A killed leader leaves its lease behind; the next test need not wait until it runs out.
        leases = f"/apis/coordination.k8s.io/v1/namespaces/{operator_process.NAMESPACE}/leases"
        control_plane.client.delete(leases)


def finish(process, secrets):
    if not process.ended_by_test:
        process.stop()
    print(f"{process.log_path}:\n{process.log_tail()}")  # shown by pytest when the test failed
    process.check_sanitizers()
    process.check_secrets(secrets)


def known_secrets(emulator, processes):
    """What must be in no log: the emulator's keys and passwords, the operators' own tokens."""
    state = emulator.state()
    return [
        *(key["key"] for key in state["keys"]),
        *(credential["secret"] for credential in state["distribution_credentials"]),
        *(yaml.safe_load(p.kubeconfig.read_text())["users"][0]["user"]["token"] for p in processes),
    ]


def install_manifests(plane):
    plane.client.post("/api/v1/namespaces", {"metadata": {"name": operator_process.NAMESPACE}})
    if any(CRDS.glob("*.yaml")):
        plane.apply(CRDS)
        plane.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    if RBAC.exists():
        plane.apply(RBAC)


def delete_namespace(client, name):
    """Waits until what matters is gone; the rest goes five seconds later, which is how long the
    namespace controller bides its time.

    By now nobody may be left to lift our finalizers or to end pods, so that is done here.
    """
    if client.find(f"/api/v1/namespaces/{name}") is None:
        return
    client.delete(f"/api/v1/namespaces/{name}")  # from now on nothing new is created in it
    for collection in (path.format(name) for path in CLEARED):
        if client.find(collection) is not None:
            client.delete(collection, {"gracePeriodSeconds": 0})
            wait_for(lambda: lift_finalizers(client, collection) == 0, 30, f"{collection} is empty")


def lift_finalizers(client, collection):
    """Returns how many objects there are still."""
    items = client.get(collection)["items"]
    for metadata in (item["metadata"] for item in items):
        if metadata.get("finalizers"):
            path = f"{collection}/{metadata['name']}"
            lift(client, path)
    return len(items)


def lift(client, path):
    try:
        client.patch(path, {"metadata": {"finalizers": None}})
    except ApiError as error:
        if error.status != 404:  # an operator that still runs may have been faster
            raise
