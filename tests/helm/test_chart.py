"""The chart in itself: no cluster needed."""

import json
import re
import subprocess

import pytest
import yaml

from chart import CHART, MANIFESTS, named
from controlplane import REPOSITORY
from operator_process import BINARY

CRDS = REPOSITORY / "crds"

# Flags of the operator that no value stands for.
NOT_A_VALUE = {"kubeconfig", "help", "version"}  # in a pod it is the ServiceAccount


def test_lint(helm):
    helm("lint", "--strict", CHART)


def test_version_is_the_programs():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    makefile = (REPOSITORY / "Makefile").read_text()
    version = re.search(r"^VERSION \?= (\S+)$", makefile, re.MULTILINE)[1]
    assert (chart["version"], chart["appVersion"]) == (version, version)


def test_crds_are_copies_of_the_one_source():
    def contents(directory):
        return {path.name: path.read_text() for path in directory.glob("*.yaml")}

    assert contents(CHART / "files" / "crds") == contents(CRDS), "run `make chart`"


def test_crds_render_as_they_stand_but_for_metadata(helm):
    rendered = {entry["metadata"]["name"]: entry for entry in helm.render()
                if entry["kind"] == "CustomResourceDefinition"}
    assert len(rendered) == 2
    for path in CRDS.glob("*.yaml"):
        source = yaml.safe_load(path.read_text())
        crd = rendered[source["metadata"]["name"]]
        assert crd["spec"] == source["spec"]
        assert crd["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


@pytest.mark.parametrize("crds, count, annotation", [
    ({"enabled": False}, 0, None), ({"keep": False}, 2, None), ({}, 2, "keep"),
])
def test_crds_are_switchable(helm, crds, count, annotation):
    found = [entry for entry in helm.render({"crds": crds})
             if entry["kind"] == "CustomResourceDefinition"]
    assert len(found) == count
    for crd in found:
        annotations = crd["metadata"].get("annotations", {})
        assert annotations.get("helm.sh/resource-policy") == annotation


class TestValues:
    def leaves(self, values, prefix=()):
        """Paths of all values; a map that users fill is one value."""
        for name, value in values.items():
            if isinstance(value, dict) and value and self.is_section((*prefix, name)):
                yield from self.leaves(value, (*prefix, name))
            else:
                yield (*prefix, name)

    def is_section(self, path):
        return self.schema(path).get("additionalProperties") is False

    def schema(self, path):
        root = json.loads((CHART / "values.schema.json").read_text())
        node = root
        for name in path:
            node = node["properties"][name]
            if "$ref" in node:
                node = root["definitions"][node["$ref"].rpartition("/")[2]]
        return node

    def values(self):
        return yaml.safe_load((CHART / "values.yaml").read_text())

    def test_every_value_has_a_comment_and_a_schema(self):
        lines = (CHART / "values.yaml").read_text().splitlines()
        for path in self.leaves(self.values()):
            self.schema(path)
            line, = (number for number, text in enumerate(lines)
                     if self.path_at(lines, number) == path)
            above = line - 1
            while lines[above].lstrip().startswith("# ") and "# -- " not in lines[above]:
                above -= 1
            assert "# -- " in lines[above], f"{'.'.join(path)} has no comment"

    def path_at(self, lines, number):
        """The value whose name stands in that line."""
        path, indent = [], 100
        for text in reversed(lines[:number + 1]):
            key = re.match(r"^( *)([a-zA-Z]+):", text)
            if key and len(key[1]) < indent:
                path.insert(0, key[2])
                indent = len(key[1])
            elif not path:
                return None
        return tuple(path)

    def test_schema_knows_no_value_that_is_not_there(self):
        def missing(schema, values):
            root = json.loads((CHART / "values.schema.json").read_text())
            for name, node in schema.get("properties", {}).items():
                if "$ref" in node:
                    node = root["definitions"][node["$ref"].rpartition("/")[2]]
                if name not in values:
                    yield name
                elif node.get("additionalProperties") is False:
                    yield from missing(node, values[name])

        schema = json.loads((CHART / "values.schema.json").read_text())
        assert list(missing(schema, self.values())) == ["global"]

    @pytest.mark.parametrize("values, complaint", [
        ({"replicas": 1}, "replicas"),
        ({"deepgram": {"uri": "x"}}, "uri"),
        ({"deepgram": {"url": "api.deepgram.com"}}, "url"),
        ({"deepgram": {"settle": "2 minutes"}}, "settle"),
        ({"watchNamespaces": "speech"}, "watchNamespaces"),
        ({"watchNamespaces": ["Speech"]}, "watchNamespaces"),
        ({"defaultCredentials": {"maxRole": "none"}}, "maxRole"),
        ({"proxy": {"url": "http://user:password@proxy"}}, "proxy"),
        ({"ca": {"configMapName": "a", "secretName": "b"}}, "ca"),
        ({"leaderElection": {"enabled": False}}, "leaderElection"),
        ({"metrics": {"serviceMonitor": {"enabled": True}, "podMonitor": {"enabled": True}}},
         "metrics"),
    ])
    def test_mistakes_are_refused(self, helm, values, complaint):
        done = helm.template(values, check=False)
        assert done.returncode != 0
        assert complaint in done.stderr


class TestCommandLine:
    def flags(self, helm, values):
        container, = named(helm.render(values), "Deployment")["spec"]["template"]["spec"]["containers"]
        assert "command" not in container
        return container["args"]

    def test_every_flag_can_be_set(self, helm):
        known = set(re.findall(r"^  --([a-z-]+)", self.help(), re.MULTILINE))
        args = self.flags(helm, {
            "watchNamespaces": ["a"], "ca": {"secretName": "ca"},
            "deepgram": {"allowPlainHttp": True},
            "defaultCredentials": {"secretName": "admin", "allowedNamespaces": ["a"]}})
        assert {arg.partition("=")[0].removeprefix("--") for arg in args} == known - NOT_A_VALUE

    def test_defaults_are_the_programs(self, helm):
        defaults = dict(re.findall(r"^  --([a-z-]+).*\(default (.*)\)$", self.help(), re.MULTILINE))
        for arg in self.flags(helm, {}):
            name, _, value = arg.removeprefix("--").partition("=")
            assert value == defaults[name], arg

    def help(self):
        return subprocess.run([BINARY, "--help"], capture_output=True, text=True,
                              check=True).stdout


class TestDoctor:
    """`helm test` runs the operator's doctor exactly as the Deployment runs the operator."""

    SOME_VALUES = {"watchNamespaces": ["a", "b"], "proxy": {"url": "http://proxy:1"},
                   "ca": {"secretName": "ca"}, "defaultCredentials": {"secretName": "admin"},
                   "dnsPolicy": "Default", "dnsConfig": {"searches": ["example.com"]}}

    @pytest.mark.parametrize("values", [{}, SOME_VALUES])
    def test_same_container(self, helm, values):
        objects = helm.render(values)
        pod = named(objects, "Pod")["spec"]
        operator = named(objects, "Deployment")["spec"]["template"]["spec"]
        (doctor,), (main,) = pod["containers"], operator["containers"]
        assert doctor["args"] == ["doctor", *main["args"]]
        for field in ("image", "env", "volumeMounts", "securityContext", "resources"):
            assert doctor.get(field) == main.get(field)
        for field in ("serviceAccountName", "volumes", "securityContext", "dnsPolicy", "dnsConfig",
                      "automountServiceAccountToken"):
            assert pod.get(field) == operator.get(field)

    def test_is_no_part_of_service_and_disruption_budget(self, helm):
        objects = helm.render({"metrics": {"service": {"enabled": True}},
                               "networkPolicy": {"enabled": True}})
        labels = named(objects, "Pod")["metadata"]["labels"].items()
        assert not named(objects, "Service")["spec"]["selector"].items() <= labels
        budget = named(objects, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"]
        assert not budget.items() <= labels
        policy = named(objects, "NetworkPolicy")["spec"]["podSelector"]
        for entry in ("Pod", "Deployment"):
            found = named(objects, entry)
            meta = found["spec"].get("template", found)["metadata"]["labels"]
            assert policy["matchLabels"].items() <= meta.items()
            expression, = policy["matchExpressions"]
            assert meta[expression["key"]] in expression["values"]

    def test_leftovers_are_looked_for_only_where_the_crds_go(self, helm):
        def hooks(crds):
            return {entry["spec"]["containers"][0]["args"][0]
                    for entry in helm.render({"crds": crds}) if entry["kind"] == "Pod"}

        assert hooks({}) == hooks({"enabled": False, "keep": False}) == {"doctor"}
        assert hooks({"keep": False}) == {"doctor", "leftovers"}

    def test_can_be_left_out(self, helm):
        assert "Pod" not in {entry["kind"] for entry in helm.render({"test": {"enabled": False}})}


class TestManifests:
    def test_generated_files_are_up_to_date(self, helm, tmp_path):
        subprocess.run([MANIFESTS / "generate.sh", helm.program, tmp_path], check=True)
        for path in tmp_path.iterdir():
            committed = MANIFESTS / path.name
            assert committed.read_text() == path.read_text(), "run `make manifests`"

    def test_rights_are_the_same_everywhere(self, helm):
        def rules(objects):
            return {(entry["kind"], entry["metadata"]["name"]): entry["rules"]
                    for entry in objects if entry["kind"] in ("Role", "ClusterRole")
                    and not entry["metadata"]["name"].endswith(("-view", "-edit"))}

        chart, install, rbac = (rules(objects) for objects in (
            helm.render(), self.documents("install.yaml"), self.documents("rbac.yaml")))
        assert len(chart) == 2
        assert chart == install == rbac

    def test_nothing_of_helm_is_left(self):
        for name in ("install.yaml", "rbac.yaml"):
            assert "helm.sh" not in (MANIFESTS / name).read_text()

    def documents(self, name):
        return list(yaml.safe_load_all((MANIFESTS / name).read_text()))


class TestNotes:
    def notes(self, cluster_helm, values=None):
        done = cluster_helm("install", "--dry-run=client", "deepgram-operator", CHART,
                            "--namespace", "ops", values=values or {})
        return done.stdout.partition("NOTES:\n")[2]

    def test_say_the_next_step(self, cluster_helm):
        notes = self.notes(cluster_helm)
        assert "kubectl -n ops rollout status deployment/deepgram-operator" in notes
        assert "create secret generic deepgram-admin" in notes
        manifest = yaml.safe_load(re.search(r"<<EOF\n(.*?)\n *EOF", notes, re.DOTALL)[1])
        assert manifest["spec"]["credentialsRef"] == {"name": "deepgram-admin"}

    def test_need_no_other_secret_than_the_default_credentials(self, cluster_helm):
        notes = self.notes(cluster_helm,
                           {"defaultCredentials": {"secretName": "admin", "namespace": "x"}})
        assert "kubectl -n x create secret generic admin" in notes
        assert "credentialsRef" not in notes

    @pytest.mark.parametrize("keep, words", [(True, "The CRDs\nstay"), (False, "crds.keep is false")])
    def test_say_what_uninstalling_means(self, cluster_helm, keep, words):
        assert words in self.notes(cluster_helm, {"crds": {"keep": keep}})
