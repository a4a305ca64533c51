"""What the chart renders to, for a matrix of values, before the tools that judge manifests and before
the API server."""

import json
import subprocess

import pytest
import yaml

import matrix
from chart import MANIFESTS, MONITORING, TOOLS, named
from schemas import write_schemas

# kube-score's checks that don't hold, each with its reason.
WAIVED = {
    "container-resources": "a limit on CPU would only delay a rotation; the test below asks for the rest",
    "container-image-pull-policy": "images are named by version or digest, and a restart must not "
                                   "depend on the registry",
    "container-ephemeral-storage-request-and-limit":
        "the root file system is read-only, and a limit would count the logs that the kubelet keeps",
}
WAIVED_IN = {
    "one replica": {"deployment-replicas": "asked for",
                    "deployment-has-poddisruptionbudget": "asked for"},
    "everything about pods": {"deployment-has-host-podantiaffinity":
                              "the affinity is the user's, and the pods are spread all the same"},
    "user ids given by OpenShift": {"container-security-context-user-group-id":
                                    "the platform gives each namespace ids of its own"},
}
# The policy is off by default: which ports it has to open is a matter of the cluster.
WITH_POLICY = {"networkPolicy": {"enabled": True}}

each_case = pytest.mark.parametrize("case", matrix.MATRIX)


@pytest.fixture(scope="module")
def prepared(cluster, monitoring, helm):
    """The cluster with the CRDs and the namespaces of the matrix."""
    crds = [entry for entry in helm.render() if entry["kind"] == "CustomResourceDefinition"]
    cluster.apply(yaml.safe_dump_all(crds))
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    for name in (matrix.RELEASE_NAMESPACE, *matrix.NAMESPACES):
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        cluster.client.post("/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
    account = {"metadata": {"name": "platform"}}
    for name in ("deepgram-operator", "deepgram-keys", "platform"):  # pods are refused without
        account["metadata"]["name"] = name
        cluster.client.post(
            f"/api/v1/namespaces/{matrix.RELEASE_NAMESPACE}/serviceaccounts", account)
    yield cluster
    for name in (matrix.RELEASE_NAMESPACE, *matrix.NAMESPACES):
        cluster.client.delete(f"/api/v1/namespaces/{name}")
    cluster.delete_crds(*(crd["metadata"]["name"] for crd in crds))


@pytest.fixture(scope="module")
def schemas(prepared, tmp_path_factory):
    directory = tmp_path_factory.mktemp("schemas")
    write_schemas(prepared.client, directory)
    return directory


def run(tool, *args, text):
    return subprocess.run([TOOLS / tool, *args], input=text, capture_output=True, text=True)


def conform(schemas, text):
    return run("kubeconform", "-strict", "-summary", "-schema-location",
               f"{schemas}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json",
               f"-skip={','.join(MONITORING.values())}", "-", text=text)


class TestApiServer:
    @each_case
    def test_takes_it(self, prepared, helm, case):
        done = prepared.kubectl(
            "apply", "--server-side", "--dry-run=server", "--validate=strict",
            "--warnings-as-errors", "-f", "-",
            input=helm.template(matrix.MATRIX[case]).stdout)
        assert "serverside-applied (server dry run)" in done.stdout

    @each_case
    def test_admits_its_pods_under_restricted(self, prepared, helm, case):
        deployment = named(helm.render(matrix.MATRIX[case]), "Deployment")
        template = deployment["spec"]["template"]
        pod = {"apiVersion": "v1", "kind": "Pod", **template,
               "metadata": {**template["metadata"], "name": "pod"}}
        prepared.client.post(f"/api/v1/namespaces/{matrix.RELEASE_NAMESPACE}/pods", pod,
                             dryRun="All", fieldValidation="Strict")

    def test_takes_the_kustomization(self, prepared):
        rendered = prepared.kubectl("kustomize", MANIFESTS).stdout
        assert "image: deepgram-operator:" in rendered
        prepared.kubectl("apply", "--server-side", "--dry-run=server", "--validate=strict",
                         "--warnings-as-errors", "--force-conflicts", "-f", "-", input=rendered)


class TestKubeconform:
    @each_case
    def test_passes(self, schemas, helm, case):
        done = conform(schemas, helm.template(matrix.MATRIX[case]).stdout)
        assert done.returncode == 0, done.stdout + done.stderr

    def test_sees_an_unknown_field(self, schemas, helm):
        deployment = named(helm.render(), "Deployment")
        deployment["spec"]["replica"] = 1
        assert conform(schemas, yaml.safe_dump(deployment)).returncode != 0

    def test_passes_the_samples(self, schemas):
        samples = MANIFESTS / "samples"
        for path in (*samples.glob("*.yaml"), *samples.glob("adoption/*.yaml"),
                     *samples.glob("rotating/*.yaml")):
            done = conform(schemas, path.read_text())
            assert done.returncode == 0, done.stdout


class TestKubeScore:
    def score(self, text, *flags):
        return run("kube-score", "score", "--kubernetes-version=v1.37", "--output-format=ci",
                   *flags, "-", text=text)

    @each_case
    def test_passes(self, helm, case):
        waived = {**WAIVED, **WAIVED_IN.get(case, {})}
        done = self.score(helm.template({**WITH_POLICY, **matrix.MATRIX[case]}).stdout,
                          "--exit-one-on-warning", *(f"--ignore-test={name}" for name in waived),
                          "--enable-optional-test=container-seccomp-profile")
        assert done.returncode == 0, done.stdout

    def test_no_waiver_is_idle(self, helm):
        found = self.score(helm.template(WITH_POLICY).stdout, "--output-format=json").stdout
        failing = {check["check"]["id"] for entry in json.loads(found) for check in entry["checks"]
                   if check["grade"] < 10 and not check["skipped"]}
        assert failing == set(WAIVED)

    def test_only_the_cpu_limit_is_missing_of_the_resources(self, helm):
        done = self.score(helm.template(WITH_POLICY).stdout, "--ignore-container-cpu-limit",
                          *(f"--ignore-test={name}" for name in WAIVED
                            if name != "container-resources"))
        assert done.returncode == 0, done.stdout


class TestMonitoringTypes:
    @pytest.mark.parametrize("case", ["service monitor", "pod monitor"])
    def test_are_what_the_prometheus_operator_reads(self, helm, case):
        objects = [entry for entry in helm.render(matrix.MATRIX[case])
                   if entry["kind"] in MONITORING.values()]
        assert len(objects) == 2
        done = run("manifesttypes", text=yaml.safe_dump_all(objects))
        assert done.returncode == 0, done.stderr

    def test_select_the_pods(self, helm):
        for case, kind in (("service monitor", "ServiceMonitor"), ("pod monitor", "PodMonitor")):
            objects = helm.render(matrix.MATRIX[case])
            deployment, service = named(objects, "Deployment"), named(objects, "Service")
            selector = named(objects, kind)["spec"]["selector"]["matchLabels"]
            pod = deployment["spec"]["template"]["metadata"]["labels"]
            assert selector.items() <= pod.items()
            assert selector.items() <= service["metadata"]["labels"].items()
            assert service["spec"]["selector"].items() <= pod.items()
