"""The READMEs are true: their examples apply, their commands work, their tables are the code's."""

import json
import os
import re
import shlex
import shutil
import subprocess
import uuid

import httpx
import pytest
import yaml

from conftest import delete_namespace
from controlplane import BINARIES, REPOSITORY
from operator_process import BINARY
from polling import wait_for
from process import Process, free_port

README = REPOSITORY / "README.md"
CONTROLLER = REPOSITORY / "controller"
STRICT_DRY_RUN = ("apply", "--dry-run=server", "--validate=strict", "--warnings-as-errors")
NAMESPACE = "speech"  # of the examples
PROJECT = "3a8f6c1e-5b0d-4f7a-9c42-d1e06b7f2a95"
KINDS = {"DeepgramApiKey": "deepgramapikeys", "DeepgramPullSecret": "deepgrampullsecrets"}

# Words in the form of a reason that no person is shown as one: a new one belongs here or into the
# README.
NOT_REASONS = {
    "Ready", "Reconciling", "Stalled", "True", "False", "Unknown",  # conditions
    "Normal", "Warning", "Reconcile", "Issue", "Abandon", "Revoke", "KeepAgain", "Adopt",
    "Inventory", "Verify",  # of events: types and actions
    "Succeeded", "Failed", "DeleteOptions",  # Kubernetes' own
    "RollOut", "ConsumersUpdated", "ServiceAccountsUpdated", "UpdateServiceAccounts",
    "Blocked", "Updating", "Waiting", "Missing", "Unrelated",  # states of a consumer
    "OnDelete", "Unschedulable", "CrashLoopBackOff",  # Kubernetes' own
    "ContainerCreating", "PodInitializing", "ReplicaSet", "PodScheduled", "NotReady",
    "Expiring", "Lost",  # why a credential is due; shown as RotationScheduled and Replaced
}

FLAGS_OF_OTHERS = {
    "--cascade", "--create-namespace", "--current", "--flatten", "--for", "--force", "--from-file",
    "--install", "--minify", "--overwrite", "--raw", "--recursive", "--set",
    "--show-managed-fields",
}


def section(heading, path=README):
    """The text below a heading, up to the next one of that level or above."""
    text = path.read_text()
    level = heading.partition(" ")[0]
    begin = text.index(f"\n{heading}\n") + len(heading) + 2
    end = re.search(rf"^#{{1,{len(level)}}} ", without_fences(text[begin:]), re.MULTILINE)
    return text[begin:begin + end.start()] if end else text[begin:]


def without_fences(text):
    """Comments in shell blocks aren't headings. Offsets stay."""
    return re.sub(r"^```.*?^```", lambda fence: " " * len(fence[0]), text, flags=re.M | re.S)


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def rows(text, first_header):
    """The cells of each row of the tables whose first column has that header."""
    found, reading = [], False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line[:1] == "|" else None
        if cells is None:
            reading = False
        elif reading and not set(line) <= set("|- "):
            found.append(cells)
        elif not reading and cells[0] == first_header:
            reading = True
    return found


def names(cells_of_rows):
    return [name for cells in cells_of_rows for name in re.findall(r"`([^`]+)`", cells[0])]


def without_comments(text):
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


# ---- examples ----


@pytest.fixture
def speech(control_plane):
    """A namespace for the examples, in place of theirs."""
    name = f"readme-{uuid.uuid4().hex[:6]}"
    yield name
    delete_namespace(control_plane.client, name)


def test_every_yaml_block_applies_without_warnings(control_plane, speech):
    control_plane.kubectl("create", "namespace", speech)
    applied = []
    for block in blocks(README.read_text(), "yaml"):
        if "apiVersion" not in block:
            continue
        block = block.replace(f"namespace: {NAMESPACE}", f"namespace: {speech}")
        done = control_plane.kubectl(*STRICT_DRY_RUN, "-f", "-", input=block)
        assert done.stderr == ""
        applied += [document["kind"] for document in yaml.safe_load_all(block)]
    assert sorted(applied) == sorted(KINDS)


def test_values_for_the_chart_name_the_secrets_of_the_example():
    resources, values = blocks(README.read_text(), "yaml")
    target = {d["kind"]: d["metadata"]["name"] for d in yaml.safe_load_all(resources)}
    assert yaml.safe_load(values)["global"] == {
        "deepgramSecretRef": target["DeepgramApiKey"],
        "pullSecretRef": target["DeepgramPullSecret"],
    }


class Walk:
    """The five-minute start, block by block, as a person takes it."""

    def __init__(self, plane, emulator, namespace, directory):
        self.namespace = namespace
        self.directory = directory
        self.operator = None
        for name in ("crds", "manifests"):
            shutil.copytree(REPOSITORY / name, directory / name)
        (directory / "build").mkdir()
        (directory / "build" / "deepgram-operator").symlink_to(BINARY)
        self.environment = {
            **os.environ,
            "PATH": f"{BINARIES}:{os.environ['PATH']}",
            "KUBECONFIG": str(plane.kubeconfig_admin),
            "DEEPGRAM_OPERATOR_DEEPGRAM_URL": emulator.url,
        }

    def take(self, language, block, typed):
        block = block.replace(NAMESPACE, self.namespace)
        if language == "yaml":
            (self.directory / f"{self.namespace}.yaml").write_text(block)
            return
        commands, start, command = block.partition("build/deepgram-operator")
        self.sh(commands, typed)
        if start:
            self.start_operator(shlex.split(start + command))

    def sh(self, commands, typed):
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", commands], input=typed, text=True,
                              cwd=self.directory, env=self.environment, timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, f"{commands}\n{done.stdout}"

    def start_operator(self, argv):
        address = f"127.0.0.1:{free_port()}"
        assert "127.0.0.1:8080" in argv
        argv[argv.index("127.0.0.1:8080")] = address
        self.operator = Process("operator", ["env", "-C", self.directory, *argv],
                                self.directory / "operator.log", self.environment)
        self.operator.start()
        wait_for(lambda: httpx.get(f"http://{address}/readyz", trust_env=False).is_success, 30,
                 "the operator is ready")


@pytest.fixture
def walk(control_plane, emulator, speech, tmp_path):
    walk = Walk(control_plane, emulator, speech, tmp_path)
    yield walk
    if walk.operator:
        walk.operator.stop()


def test_the_five_minute_start_leads_to_live_secrets_and_back(
        control_plane, emulator, speech, walk):
    admin_key = emulator.add_project(PROJECT)["admin_keys"][0]["key"]
    start = section("## Five-minute start").partition("\n### ")[0]
    *steps, undo = re.findall(r"^```(\w+)\n(.*?)^```$", start, re.MULTILINE | re.DOTALL)
    for language, block in steps:
        walk.take(language, block, f"{admin_key}\n")
    secrets = control_plane.client.get(f"/api/v1/namespaces/{speech}/secrets")["items"]
    assert {"dg-self-hosted-api-key", "dg-regcred"} <= {s["metadata"]["name"] for s in secrets}
    walk.take(*undo, typed="")
    assert control_plane.client.find(f"/api/v1/namespaces/{speech}") is None
    state = emulator.state(project_id=PROJECT)
    made = [key for key in state["keys"] if not key["admin"]] + state["distribution_credentials"]
    assert len(made) == 2 and not any(credential["alive"] for credential in made)
    assert admin_key not in walk.operator.log_text()
    assert walk.operator.stop() == 0


# ---- fields ----


def leaves(schema, path=""):
    """Path → default of the fields that a person writes."""
    if "properties" not in schema:
        return {path: schema.get("default")}
    found = {}
    for name, member in schema["properties"].items():
        found |= leaves(member, f"{path}.{name}".lstrip("."))
    return found


def crd_fields(kind):
    crd = yaml.safe_load((REPOSITORY / "crds" / f"{KINDS[kind]}.deepgram.com.yaml").read_text())
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return leaves(schema["properties"]["spec"])


def readme_fields(kind):
    """Path → the cell "type, default"."""
    both, api_key, pull = re.split(r"^Fields of Deepgram.*$", section("## Fields"), flags=re.M)
    own = {"DeepgramApiKey": api_key, "DeepgramPullSecret": pull}[kind]
    return {cells[0].strip("`"): cells[1] for cells in rows(both, "field") + rows(own, "field")}


@pytest.mark.parametrize("kind", KINDS)
def test_the_fields_are_those_of_the_crd(kind):
    assert sorted(readme_fields(kind)) == sorted(crd_fields(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_the_defaults_are_those_of_the_crd(kind):
    told = readme_fields(kind)
    for field, default in crd_fields(kind).items():
        if default is not None:
            assert re.search(rf", `{re.escape(as_text(default))}`$", told[field]), field


def as_text(default):
    return default if isinstance(default, str) else json.dumps(default)


# ---- reasons ----


def words_of_the_code():
    """Everything in the code that has the form of a reason."""
    sources = [path for layer in ("reconcile", "operator")
               for path in (CONTROLLER / layer).glob("*.[ch]") if path.name != "options.c"]
    found = set()
    for path in sources:
        found |= set(re.findall(r'"((?:[A-Z][a-z]+)+)"', without_comments(path.read_text())))
    return found


def test_every_reason_of_the_code_is_told_and_the_other_way_round():
    status = section("## Status and conditions")
    revisions = re.findall(r"`([A-Z]\w+)`", status[:status.index("\n`Ready` is")])
    events = [word for cells in rows(status, "event") for word in re.findall(r"`(\w+)`", cells[1])]
    told = {*names(rows(status, "reason")), *names(rows(status, "event")), *events, *revisions}
    states = {"Issued", "Current", "Retiring", "Revoked"}  # of revisions
    crd_default = {"Pending"}
    assert words_of_the_code() - NOT_REASONS - told == set()
    assert told - words_of_the_code() - states - crd_default - NOT_REASONS == set()


def test_no_word_is_excepted_in_vain():
    assert NOT_REASONS - words_of_the_code() == set()


# ---- flags and metrics ----


def help_page():
    return subprocess.run([BINARY, "--help"], check=True, text=True, stdout=subprocess.PIPE).stdout


def plugin_page():
    """What `kubectl deepgram help` prints."""
    return subprocess.run(["kubectl-deepgram", "help"], executable=BINARY, check=True,
                          capture_output=True, text=True).stdout


def test_the_flags_are_those_of_the_help_page_with_their_defaults():
    known = dict(re.findall(r"^  --([a-z-]+)[^\n(]*(?:\(default ([^)]*)\))?$", help_page(), re.M))
    told = {flag.strip("`-"): default.strip("`")
            for flag, default, _ in rows(section("## Flags"), "flag")}
    assert told.items() <= known.items()


def test_every_flag_that_is_named_anywhere_is_the_operators_or_another_programs():
    text = README.read_text() + (CONTROLLER / "README.md").read_text()
    known = set(re.findall(r"--[a-z-]+", help_page() + plugin_page()))
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) - known == FLAGS_OF_OTHERS


def test_every_command_of_the_plugin():
    described = re.findall(r"^\| `kubectl deepgram (\w+)", README.read_text(), re.M)
    listed = re.findall(r"^  (\w+) .*  ", plugin_page().partition("Flags:")[0], re.M)
    assert described == listed != []


def test_the_metrics_are_those_of_the_code():
    code = "".join((CONTROLLER / "operator" / name).read_text()
                   for name in ("metrics.c", "process.c", "resource_series.c"))
    told = rows(section("## Metrics"), "metric")
    prefixed = r'"((?:deepgram_operator|workqueue|process)_\w+)"'
    assert sorted(names(told)) == sorted(re.findall(prefixed, code))


# ---- everything else ----


@pytest.mark.parametrize("path", ["README.md", "controller/README.md", "tests/README.md"])
def test_links_and_targets_of_make_exist(path):
    text = (REPOSITORY / path).read_text()
    here = (REPOSITORY / path).parent
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
               for heading in re.findall(r"^#+ (.*)$", without_fences(text), re.MULTILINE)}
    for link in re.findall(r"\]\(([^)]+)\)", text):
        if link.startswith("#"):
            assert link[1:] in anchors, link
        elif not link.startswith("https:"):
            assert (here / link).exists(), link
    makefile = (REPOSITORY / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"`(?:\w+=\S+ )*make ([a-z-]+)`", text)) - targets == set()


@pytest.mark.parametrize("source, index", [("living.c", 0), ("terminating.c", 1)])
def test_the_rules_are_told_in_their_order(source, index):
    text = section("## The life of one credential", CONTROLLER / "README.md")
    tables = text.split("Of a resource that is being deleted:")
    code = (CONTROLLER / "reconcile" / source).read_text()
    rules = re.search(r"RULES\[\] = \{(.*?)NULL", code, re.DOTALL)[1]
    assert names(rows(tables[index], "rule")) == re.findall(r"\w+", rules)


def test_the_variables_of_the_tests_are_read_somewhere():
    told = names(rows(section("## Environment", REPOSITORY / "tests" / "README.md"), "variable"))
    files = [REPOSITORY / "Makefile", *(path for path in (REPOSITORY / "tests").rglob("*")
                                        if path.suffix in (".py", ".sh"))]
    text = "\n".join(path.read_text() for path in files)
    assert [name for name in told if not re.search(rf"\b{name}\b", text)] == []
