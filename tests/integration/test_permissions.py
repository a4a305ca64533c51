"""What the operator may do is what it needs: each single verb on each resource, taken away, makes
something fail that ROWS names; the operator says which one it lacks, and goes on once it is given back.
What it asks of the API server in all this is what is granted.

The rules are read from manifests/rbac.yaml: a new one without a row fails here. The API server is
one without lists by watch, as before Kubernetes 1.32, and checks who may set owners.
"""

import base64
import json
import threading
import time
import uuid
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

from conftest import RBAC, delete_namespace, install_manifests
from controlplane import ControlPlane
from emulator import Emulator
from operator_process import NAMESPACE, SERVICE_ACCOUNT, OperatorProcess
from polling import wait_for
from resources import Tenant, condition

KEY, PULL = "DeepgramApiKey", "DeepgramPullSecret"
AT_ONCE = 8
PAUSE_S = 8  # longer than it waits with a restart, shorter than its lease
WRITERS = 6  # at once, so that hardly any write of the operator gets in between
API_SERVER_FLAGS = ("--feature-gates=WatchList=false",
                    "--enable-admission-plugins=OwnerReferencesPermissionEnforcement")
FLAGS = ("--settle=2s", "--inventory-interval=5s", "--lease-duration=30s", "--lease-renew=20s")
RIGHTS = "/apis/rbac.authorization.k8s.io/v1"
LEASES = "coordination.k8s.io/leases"


# ---- what needs which permission ----


class Scene:
    """A namespace with its project and the operator that works in it; the kind is what the row is
    about."""

    def __init__(self, tenant, kind):
        self.tenant = tenant
        self.kind = kind
        self.process = None

    def create(self, **spec):
        self.tenant.create(self.kind, "it", **spec)

    def wait_ready(self):
        return self.tenant.wait_ready(self.kind, "it")

    def issue(self, **spec):
        self.create(**spec)
        self.wait_ready()

    def only_one_is_live(self):
        wait_for(lambda: self.tenant.live() == [self.wait_ready()["status"]["id"]], 20,
                 "what the lost answer left is revoked")

    def is_gone(self):
        self.tenant.wait_gone(self.kind, "it")
        assert self.tenant.live() == []


class Behaviour:
    """`act` is what people do; `works` is what follows when the operator may do all that it needs."""

    def act(self, scene):
        scene.create()

    def works(self, scene):
        scene.wait_ready()


class Issues(Behaviour):
    """A resource gets its credential and shows it."""


class Begins(Behaviour):
    """Work begins, once all is known that decisions need."""


class SweepsOrphans(Behaviour):
    """What a lost answer left at Deepgram is revoked."""

    def act(self, scene):
        operation = {KEY: "create_key", PULL: "create_credentials"}[scene.kind]
        scene.tenant.emulator.add_fault(operation, "lost", project_id=scene.tenant.project_id)
        scene.create()

    def works(self, scene):
        scene.only_one_is_live()


class Heals(Behaviour):
    """An edited target gets the credential back."""

    def act(self, scene):
        scene.issue()
        wrong = {"DEEPGRAM_API_KEY": base64.b64encode(b"wrong").decode()}
        scene.tenant.client.patch(scene.tenant.secret_path("it"), {"data": wrong})

    def works(self, scene):
        wait_for(lambda: scene.tenant.data("it")["DEEPGRAM_API_KEY"] != "wrong", 20,
                 "the target is healed")


class Revokes(Behaviour):
    """A deleted resource leaves nothing."""

    def act(self, scene):
        scene.issue()
        scene.tenant.delete(scene.kind, "it")

    def works(self, scene):
        scene.is_gone()


class Retains(Behaviour):
    """What is to stay has its namespace as an owner."""

    def act(self, scene):
        scene.create(deletionPolicy="Retain")

    def works(self, scene):
        scene.wait_ready()
        wait_for(lambda: is_anchored(scene.tenant.secret("it")), 20, "it has the other owner")


class Restarts(Behaviour):
    """What uses the credential is restarted after a rotation. Where somebody else has changed it just
    now, the operator has to look what has become of it."""

    def __init__(self, plural, contested=False):
        self.plural = plural
        self.contested = contested

    def act(self, scene):
        scene.issue()
        labels = {"app": "it"}
        scene.tenant.client.post(self.path(scene), {
            "metadata": {"name": "it"},
            "spec": {"selector": {"matchLabels": labels}, "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "it", "image": "it", "envFrom": [
                    {"secretRef": {"name": "it"}}]}]}}}})
        pods = f"/api/v1/namespaces/{scene.tenant.namespace}/pods"
        wait_for(lambda: any(is_ready(pod) for pod in scene.tenant.client.get(pods)["items"]), 30,
                 "there is a pod")
        time.sleep(1.1)  # the age of a pod is known by the second
        rotate = {"metadata": {"annotations": {"deepgram.com/rotate": "now"}}}
        scene.tenant.patch(scene.kind, "it", rotate)
        if self.contested:
            self.contest(scene)

    def contest(self, scene):
        """When the operator goes on, the restart is due, and what it knows is behind."""
        wait_for(lambda: scene.tenant.find(scene.kind, "it")["status"]["revision"] == 2, 20,
                 "the new key is published", interval=0.05)
        scene.process.pause()
        end = time.monotonic() + PAUSE_S
        writers = [threading.Thread(target=self.write, args=(scene, end + 2)) for _ in range(WRITERS)]
        for writer in writers:
            writer.start()
        time.sleep(PAUSE_S)
        scene.process.resume()
        for writer in writers:
            writer.join()

    def write(self, scene, end):
        while time.monotonic() < end:
            # A label: a Deployment with another annotation counts as one to be rolled out.
            note = {"metadata": {"labels": {"example.com/note": uuid.uuid4().hex}}}
            scene.tenant.client.patch(f"{self.path(scene)}/it", note)

    def path(self, scene):
        return f"/apis/apps/v1/namespaces/{scene.tenant.namespace}/{self.plural}"

    def is_restarted(self, scene):
        found = scene.tenant.client.find(f"{self.path(scene)}/it")
        if found is None:  # the test is over
            return True
        marks = found["spec"]["template"]["metadata"].get("annotations", {})
        return any(name.startswith("revision.deepgram.com/") for name in marks)

    def works(self, scene):
        wait_for(lambda: self.is_restarted(scene), 40, f"{self.plural} are restarted")


class ServesAccounts(Behaviour):
    """A ServiceAccount gets the pull Secret; nothing else waits for that."""

    def act(self, scene):
        scene.tenant.account("before")
        scene.issue(serviceAccounts=["before", "later"])

    def works(self, scene):
        scene.tenant.account("later")
        for name in ("before", "later"):
            wait_for(lambda: scene.tenant.entries(name) == [{"name": "it"}], 20, f"{name} has it")
        scene.tenant.delete(scene.kind, "it")
        scene.is_gone()
        assert scene.tenant.entries("before") == []


class TellsEvents(Behaviour):
    """People read in an event what was done."""

    def works(self, scene):
        scene.wait_ready()
        if not events(scene):  # the one of the first issue could not be written
            scene.tenant.delete(scene.kind, "it")
            scene.is_gone()
        wait_for(lambda: events(scene), 10, "there is an event")


class Leads(Behaviour):
    """One replica leads, and works."""

    def act(self, scene):
        scene.create()

    def works(self, scene):
        if not scene.process.running():
            assert scene.process.wait_exit() == 1
            scene.process.start()
        scene.wait_ready()


def is_ready(pod):
    ready = condition(pod, "Ready")
    return ready is not None and ready["status"] == "True"


def events(scene):
    return [event for event in scene.tenant.all_events() if event["regarding"]["name"] == "it"]


def is_anchored(secret):
    return "Namespace" in [owner["kind"] for owner in secret["metadata"]["ownerReferences"]]


Permission = namedtuple("Permission", "resource verb")
# place: where the operator says it; told: the API server's words, where they don't name the verb.
Row = namedtuple("Row", "behaviour kind place told", defaults=(KEY, "condition", None))

CUSTOM = {"deepgram.com/deepgramapikeys": KEY, "deepgram.com/deepgrampullsecrets": PULL}
ROWS = {
    **{Permission(resource, verb): row for resource, kind in CUSTOM.items() for verb, row in {
        "get": Row(SweepsOrphans(), kind),
        "list": Row(Begins(), kind, "log"),
        "watch": Row(Begins(), kind, "log"),
        "patch": Row(Issues(), kind),
    }.items()},
    **{Permission(f"{resource}/status", "patch"): Row(Issues(), kind, "log")
       for resource, kind in CUSTOM.items()},
    **{Permission(f"{resource}/finalizers", "update"):
       Row(Issues(), kind, told="cannot set blockOwnerDeletion")
       for resource, kind in CUSTOM.items()},
    Permission("secrets", "get"): Row(Issues()),
    Permission("secrets", "list"): Row(Begins(), place="log"),
    Permission("secrets", "watch"): Row(Begins(), place="log"),
    Permission("secrets", "create"): Row(Issues()),
    Permission("secrets", "update"): Row(Heals()),
    Permission("secrets", "patch"): Row(Issues()),
    Permission("secrets", "delete"): Row(Revokes()),
    Permission("pods", "list"): Row(Begins(), place="log"),
    Permission("pods", "watch"): Row(Begins(), place="log"),
    **{Permission(f"apps/{plural}", verb): row
       for plural in ("deployments", "statefulsets", "daemonsets") for verb, row in {
           "get": Row(Restarts(plural, contested=True), place="log"),  # over before one looks
           "list": Row(Begins(), place="log"),
           "watch": Row(Begins(), place="log"),
           "patch": Row(Restarts(plural)),
       }.items()},
    **{Permission("serviceaccounts", verb): Row(ServesAccounts(), PULL, place) for verb, place in {
        "get": "condition", "list": "condition", "watch": "log", "patch": "condition"}.items()},
    Permission("events.k8s.io/events", "create"): Row(TellsEvents(), place="log"),
    Permission("namespaces", "get"): Row(Retains()),
    Permission("namespaces", "list"): Row(Begins(), place="log"),
    Permission("namespaces", "watch"): Row(Begins(), place="log"),
    Permission(LEASES, "create"): Row(Leads(), place="log"),
    Permission(LEASES, "get"): Row(Leads(), place="log"),
    Permission(LEASES, "update"): Row(Leads(), place="log"),
}
# Asked for by the admission plugin while it looks at a Secret's owner, never by a request.
IN_NO_REQUEST = {Permission(f"{resource}/finalizers", "update") for resource in CUSTOM}


# ---- the rules ----


def documents():
    return [document for document in yaml.safe_load_all(RBAC.read_text()) if document]


def all_rules():
    return [rule for document in documents() for rule in document.get("rules", [])]


def cluster_rules():
    role, = (found for found in documents() if found["kind"] == "ClusterRole")
    return role["rules"]


def permissions_of(rules):
    return [Permission(f"{group}/{resource}".lstrip("/"), verb)
            for rule in rules for group in rule["apiGroups"] for resource in rule["resources"]
            for verb in rule["verbs"]]


def without(rules, permission):
    """One rule for each resource, and one verb less."""
    split = []
    for rule in rules:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                name = f"{group}/{resource}".lstrip("/")
                verbs = [verb for verb in rule["verbs"] if Permission(name, verb) != permission]
                if verbs:
                    split.append({**rule, "apiGroups": [group], "resources": [resource],
                                  "verbs": verbs})
    return split


GRANTED = permissions_of(all_rules())
GROUPS = {group for rule in all_rules() for group in rule["apiGroups"]}


# ---- the stage ----


@pytest.fixture(scope="module")
def plane(say):
    with ControlPlane(parts={"kcm", "scheduler", "kwok"}, apiserver_flags=API_SERVER_FLAGS, say=say) as found:
        install_manifests(found)
        found.add_nodes(1)
        yield found


class Stage:
    def __init__(self, plane, emulator, directory):
        self.plane = plane
        self.client = plane.client
        self.emulator = emulator
        self.directory = directory

    def tenant(self):
        namespace = f"rights-{uuid.uuid4().hex[:6]}"
        self.client.post("/api/v1/namespaces", {"metadata": {"name": namespace}})
        found = Tenant(self.plane, self.emulator, namespace)
        found.put_admin_secret()
        return found

    def account(self, namespace, rules):
        """A ServiceAccount with these rights in its namespace, and the role that they stand in."""
        role = f"{RIGHTS}/namespaces/{namespace}/roles"
        self.client.post(f"/api/v1/namespaces/{namespace}/serviceaccounts",
                         {"metadata": {"name": SERVICE_ACCOUNT}})
        self.client.post(role, {"metadata": {"name": SERVICE_ACCOUNT}, "rules": rules})
        self.client.post(f"{RIGHTS}/namespaces/{namespace}/rolebindings", {
            "metadata": {"name": SERVICE_ACCOUNT},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role",
                        "name": SERVICE_ACCOUNT},
            "subjects": [{"kind": "ServiceAccount", "name": SERVICE_ACCOUNT,
                          "namespace": namespace}]})
        return f"{role}/{SERVICE_ACCOUNT}"

    def operator(self, namespace, *flags):
        kubeconfig = self.plane.kubeconfig_for(namespace, SERVICE_ACCOUNT)
        log = self.directory / f"{uuid.uuid4().hex[:8]}.log"
        return OperatorProcess(kubeconfig, log, [
            f"--deepgram-url={self.emulator.url}", f"--registry-url={self.emulator.url}",
            *FLAGS, *flags]).start(wait_ready=False)

    def set_rules(self, role, rules):
        self.client.patch(role, [{"op": "replace", "path": "/rules", "value": rules}], type="json")


@pytest.fixture(scope="module")
def stage(plane, tmp_path_factory):
    with Emulator.start() as emulator:
        yield Stage(plane, emulator, tmp_path_factory.mktemp("rights"))


def told(scene, row, permission):
    """Does the operator say which permission it lacks, where people look?"""
    group, _, rest = permission.resource.partition("/")
    resource = rest if group in GROUPS else permission.resource
    wanted = row.told or f'cannot {permission.verb} resource "{resource}"'
    if row.place == "log":
        lines = map(json.loads, scene.process.log_text().splitlines())
        texts = [line.get("error", "") for line in lines if line["level"] in ("warn", "error")]
    else:
        found = scene.tenant.find(scene.kind, "it")
        texts = [entry["message"] for entry in found["status"]["conditions"]]
    assert any(wanted in text for text in texts), f"nobody says {wanted}"
    return True


def check_row(stage, permission, role_of, *flags):
    """Runs the behaviour without the permission, then gives it back."""
    row = ROWS[permission]
    scene = Scene(stage.tenant(), row.kind)
    role, rules, namespace = role_of(scene.tenant.namespace)
    try:
        stage.set_rules(role, without(rules, permission))
        scene.process = stage.operator(
            namespace, *(flag.format(scene.tenant.namespace) for flag in flags))
        row.behaviour.act(scene)
        wait_for(lambda: told(scene, row, permission), 20, f"{permission} is said to be missing")
        stage.set_rules(role, rules)
        row.behaviour.works(scene)
        scene.process.stop()
    except Exception as error:
        log = scene.process.log_tail() if scene.process else ""
        raise AssertionError(f"{permission}: {error}\n{log}") from error
    finally:
        stage.set_rules(role, rules)
        if scene.process:
            scene.process.kill()
        delete_namespace(stage.client, scene.tenant.namespace)


def is_cluster_wide(permission):
    return permission.resource == "namespaces" and permission.verb != "get"


def good_in_a_role(rules):
    return [rule for rule in rules if not all(map(is_cluster_wide, permissions_of([rule])))]


@pytest.fixture(scope="module")
def outcomes(stage, request):
    """Permission → what went wrong, or None; run at once, but for those that need the whole
    cluster."""
    wanted = [item.callspec.params["permission"] for item in request.session.items
              if item.name.startswith("test_without[")]
    if any(item.name.startswith("test_the_verbs") for item in request.session.items):
        wanted = GRANTED
    rules = [rule for rule in all_rules() if rule not in cluster_rules()]
    own_rules = rules + good_in_a_role(cluster_rules())
    cluster_role = f"{RIGHTS}/clusterroles/{SERVICE_ACCOUNT}"

    def in_its_namespace(permission):
        return check_row(stage, permission, lambda namespace: (
            stage.account(namespace, own_rules), own_rules, namespace), "--namespaces={}")

    def in_the_cluster(permission):
        return check_row(stage, permission, lambda _: (cluster_role, cluster_rules(), NAMESPACE))

    known = [permission for permission in wanted if permission in ROWS]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = {permission: pool.submit(problem, in_its_namespace, permission)
                   for permission in known if not is_cluster_wide(permission)}
        found = {permission: future.result() for permission, future in futures.items()}
    return found | {permission: problem(in_the_cluster, permission)
                    for permission in known if is_cluster_wide(permission)}


def problem(check, permission):
    try:
        check(permission)
    except AssertionError as error:
        return str(error)
    return None


# ---- the tests ----


@pytest.mark.parametrize("permission", GRANTED, ids=lambda found: f"{found.verb} {found.resource}")
def test_without(outcomes, permission):
    assert permission in ROWS, f"name in ROWS what fails without {permission}"
    failure = outcomes[permission]
    assert failure is None, failure


def test_every_row_is_about_a_permission_that_is_granted():
    assert len(GRANTED) == len(set(GRANTED)) and set(ROWS) == set(GRANTED)
    assert not [rule for rule in all_rules() if "*" in str(rule)]


def test_the_verbs_that_are_used_are_the_verbs_granted(stage, outcomes):
    """By all that the rows are about, which is all that the operator does."""
    seen = {used(event) for event in stage.plane.audit()
            if event["user"]["username"].endswith(f":{SERVICE_ACCOUNT}")}
    assert set(outcomes) == set(GRANTED)
    assert seen == set(GRANTED) - IN_NO_REQUEST


def test_accounts_that_are_no_longer_shown_are_told(stage):
    scene = Scene(stage.tenant(), PULL)
    namespace = scene.tenant.namespace
    rules = [rule for rule in all_rules() if rule["resources"] != ["namespaces"]]
    role = stage.account(namespace, rules)
    scene.process = stage.operator(namespace, f"--namespaces={namespace}", "--watch-timeout=2s")

    def wait_told(*state):
        return scene.tenant.wait_condition(PULL, "it", "ServiceAccountsUpdated", *state,
                                           timeout=60)["message"]

    try:
        scene.tenant.account("before")
        scene.issue(serviceAccounts=["before"])
        wait_told("True", "Updated")
        stage.set_rules(role, without(rules, Permission("serviceaccounts", "watch")))
        assert 'cannot watch resource "serviceaccounts"' in wait_told("False", "KubernetesForbidden")
        stage.set_rules(role, rules)
        wait_told("True", "Updated")
        assert scene.tenant.entries("before") == [{"name": "it"}]
        scene.process.stop()
    finally:
        scene.process.kill()
        delete_namespace(stage.client, namespace)


def test_a_deletion_goes_on_without_the_right_to_change_accounts(stage):
    """The entry stays, which is told; nothing is left at Deepgram."""
    scene = Scene(stage.tenant(), PULL)
    namespace = scene.tenant.namespace
    rules = good_in_a_role(all_rules())
    role = stage.account(namespace, rules)
    scene.process = stage.operator(namespace, f"--namespaces={namespace}")
    try:
        scene.tenant.account("before")
        scene.issue(serviceAccounts=["before"])
        wait_for(lambda: scene.tenant.entries("before"), 20, "the account has it")
        stage.set_rules(role, without(rules, Permission("serviceaccounts", "patch")))
        scene.tenant.delete(PULL, "it")
        told = scene.tenant.wait_condition(PULL, "it", "Ready", "False", "KubernetesForbidden")
        assert 'cannot patch resource "serviceaccounts"' in told["message"]
        assert "its name stays there" in told["message"]
        scene.tenant.wait_gone(PULL, "it", timeout=60)
        assert scene.tenant.live() == []
        assert scene.tenant.entries("before") == [{"name": "it"}]
        scene.process.stop()
    finally:
        scene.process.kill()
        delete_namespace(stage.client, namespace)


def used(event):
    target = event["objectRef"]
    resource = "/".join(filter(None, (target.get("apiGroup"), target["resource"],
                                      target.get("subresource"))))
    return Permission(resource, event["verb"])
