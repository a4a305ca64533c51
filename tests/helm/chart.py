"""The chart, Helm, and what it renders."""

import subprocess

import yaml

from controlplane import BINARIES, REPOSITORY

CHART = REPOSITORY / "helm" / "deepgram-operator"
MANIFESTS = REPOSITORY / "manifests"
TOOLS = REPOSITORY / "build" / "tools"
HELM = BINARIES / "helm"
MONITORING = {"servicemonitors": "ServiceMonitor", "podmonitors": "PodMonitor",
              "prometheusrules": "PrometheusRule"}


class Helm:
    """Helm as admin of the cluster. Values are a dict."""

    program = HELM

    def __init__(self, plane=None):
        self.flags = [f"--kubeconfig={plane.kubeconfig_admin}"] if plane else []

    def __call__(self, *args, values=None, check=True):
        done = subprocess.run(
            [HELM, *self.flags, *map(str, args), *(["--values=-"] if values is not None else [])],
            input=yaml.safe_dump(values or {}), capture_output=True, text=True, timeout=120,
        )
        assert not check or done.returncode == 0, f"helm {args[0]}: {done.stderr}"
        return done

    def template(self, values=None, namespace="deepgram-operator-system", name="deepgram-operator",
                 chart=CHART, check=True):
        return self("template", name, chart, "--namespace", namespace, values=values, check=check)

    def render(self, values=None, **where):
        """The objects that the chart renders to."""
        return documents(self.template(values, **where).stdout)


def documents(text):
    return [document for document in yaml.safe_load_all(text) if document]


def named(objects, kind, name=None):
    found, = (entry for entry in objects
              if entry["kind"] == kind and name in (None, entry["metadata"]["name"]))
    return found
