"""The samples for other tools: read by the types of Flux, the health check run as Argo CD runs it, the
values for Deepgram's own chart."""

import subprocess

import pytest
import yaml

from chart import MANIFESTS, TOOLS, named
from verdicts import argocd

GITOPS = MANIFESTS / "gitops"
KINDS = ("deepgram.com_DeepgramApiKey", "deepgram.com_DeepgramPullSecret")


def documents(path):
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


class TestFlux:
    @pytest.mark.parametrize("file", ["operator.yaml", "credentials.yaml"])
    def test_types(self, file):
        objects = [entry for entry in documents(GITOPS / "flux" / file)
                   if "fluxcd.io" in entry["apiVersion"]]
        assert objects
        done = subprocess.run([TOOLS / "manifesttypes"], input=yaml.safe_dump_all(objects),
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def test_resources_come_after_the_operator(self):
        kustomization, = documents(GITOPS / "flux" / "credentials.yaml")
        assert kustomization["spec"]["dependsOn"] == [{"name": "deepgram-operator"}]

    def test_values_are_the_charts(self, helm):
        release = named(documents(GITOPS / "flux" / "operator.yaml"), "HelmRelease")
        helm.template(release["spec"]["values"])


class TestArgoCd:
    def test_waves(self):
        waves = {entry["metadata"]["name"]:
                 int(entry["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"])
                 for entry in documents(GITOPS / "argocd" / "applications.yaml")}
        assert waves["deepgram-operator"] < waves["deepgram-credentials"]

    def test_values_are_the_charts(self, helm):
        application = named(documents(GITOPS / "argocd" / "applications.yaml"), "Application",
                            "deepgram-operator")
        helm.template(application["spec"]["source"]["helm"]["valuesObject"])


def resource(*conditions, observed=2, **metadata):
    status = {"conditions": [{"type": type, "status": status, "reason": "R", "message": f"{type}!"}
                             for type, status in conditions]}
    if observed:
        status["observedGeneration"] = observed
    return {"metadata": {"generation": 2, **metadata}, "status": status}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("expected, obj", [
    (("Progressing", "The operator has not seen this generation yet"),
     resource(("Ready", "Unknown"), observed=None)),
    (("Progressing", "The operator has not seen this generation yet"),
     resource(("Ready", "True"), observed=1)),
    (("Progressing", "The operator has not seen this generation yet"),
     {"metadata": {"generation": 1}}),
    (("Progressing", "Reconciling!"), resource(("Ready", "False"), ("Reconciling", "True"))),
    (("Progressing", "Reconciling!"), resource(("Ready", "True"), ("Reconciling", "True"))),
    (("Progressing", "Ready!"), resource(("Ready", "False"))),
    (("Progressing", ""), resource()),
    (("Healthy", "Ready!"), resource(("Ready", "True"))),
    (("Healthy", "Ready!"), resource(("ConsumersUpdated", "False"), ("Ready", "True"))),
    (("Degraded", "Stalled!"), resource(("Ready", "False"), ("Stalled", "True"))),
    (("Degraded", "Stalled!"), resource(("Ready", "True"), ("Stalled", "True"))),
    (("Progressing", "Being deleted"),
     resource(("Ready", "True"), deletionTimestamp="2026-01-01T00:00:00Z")),
], ids=["new", "old generation", "no status", "in progress", "in progress while ready", "not ready",
        "no condition", "ready", "ready without its consumers", "stalled", "stalled while ready",
        "terminating"])
def test_health_of_a_resource(kind, expected, obj):
    assert argocd(kind, obj) == expected


@pytest.mark.parametrize("expected, obj", [
    (("Progressing", ""), {"metadata": {}}),
    (("Degraded", "why"), {"status": {"health": {"status": "Degraded", "message": "why"}}}),
    (("Healthy", ""), {"status": {"health": {"status": "Healthy"}}}),
])
def test_health_of_an_application(expected, obj):
    assert argocd("argoproj.io_Application", obj) == expected


def test_values_for_deepgrams_chart_name_what_the_samples_produce():
    samples = MANIFESTS / "samples"
    wired = yaml.safe_load((samples / "self-hosted-chart" / "values.yaml").read_text())["global"]

    def target(file):
        found, = documents(samples / file)
        return found["spec"].get("secret", {}).get("name", found["metadata"]["name"])

    assert wired == {"deepgramSecretRef": target("20-api-key.yaml"),
                     "pullSecretRef": target("60-pull-secret.yaml")}
