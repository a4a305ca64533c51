"""Fixtures of the chart's tests: a control plane without anything of ours, on which pods "run"."""

import json
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "integration"), str(TESTS / "image")]

from chart import HELM, MONITORING, Helm  # noqa: E402
from controlplane import ControlPlane, MissingBinary  # noqa: E402
from counts import (  # noqa: E402, F401, pytest calls them
    pytest_collectreport,
    pytest_runtest_logreport,
    pytest_sessionfinish,
)
from emulator import Emulator  # noqa: E402
from release import Release  # noqa: E402


@pytest.fixture(scope="session")
def say(pytestconfig):
    """Prints a line at once, past pytest's capture; on stderr, which pytest-xdist leaves alone."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def print_line(text):
        with capture.global_and_fixture_disabled():
            print(f"\n{text}", end="", flush=True, file=sys.stderr)

    return print_line


@pytest.fixture(scope="session")
def cluster(say):
    plane = ControlPlane(parts={"kcm", "scheduler", "kwok"}, say=say)
    try:
        plane.start()
        plane.add_nodes(3)
        yield plane
    except MissingBinary as missing:
        pytest.fail(str(missing), pytrace=False)
    finally:
        plane.stop()


@pytest.fixture
def emulator():
    with Emulator.start() as running:
        yield running


@pytest.fixture(scope="session")
def helm():
    """Helm without a cluster."""
    if not HELM.exists():
        pytest.skip(f"{HELM} is missing: KUBEBUILDER_ASSETS has no helm")
    return Helm()


@pytest.fixture(scope="session")
def cluster_helm(helm, cluster):
    return Helm(cluster)


@pytest.fixture(scope="session")
def monitoring(cluster):
    """The Prometheus operator's types, as far as the API server needs them: its own controller's
    types check the rest (manifesttypes)."""
    for plural, kind in MONITORING.items():
        cluster.apply(json.dumps({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.monitoring.coreos.com"},
            "spec": {
                "group": "monitoring.coreos.com", "scope": "Namespaced",
                "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
                "versions": [{"name": "v1", "served": True, "storage": True, "schema": {
                    "openAPIV3Schema": {"type": "object",
                                        "x-kubernetes-preserve-unknown-fields": True}}}],
            },
        }))
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")


@pytest.fixture
def release(cluster, cluster_helm, emulator, tmp_path):
    """A release that is not installed yet."""
    found = Release(cluster, cluster_helm, emulator, tmp_path)
    yield found
    found.clean_up()
