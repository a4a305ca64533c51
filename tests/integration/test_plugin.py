"""kubectl deepgram on a real API server: what it shows, and what it says when something is missing."""

import pytest

from controlplane import BINARIES
from kubectl_deepgram import Plugin
from polling import wait_for
from resources import ADMIN_SECRET


@pytest.fixture
def plugin(control_plane, emulator, tmp_path):
    return Plugin(tmp_path, control_plane.kubeconfig_admin, emulator)


@pytest.fixture
def stranger(control_plane, namespace):
    """A kubeconfig without any right in the namespace."""
    control_plane.client.post(f"/api/v1/namespaces/{namespace}/serviceaccounts",
                              {"metadata": {"name": "stranger"}})
    return control_plane.kubeconfig_for(namespace, "stranger")


def deployment(tenant, name, secret, replicas=2):
    tenant.plane.client.post(f"/apis/apps/v1/namespaces/{tenant.namespace}/deployments", {
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"terminationGracePeriodSeconds": 0, "containers": [{
                    "name": "main", "image": "none.example.com/none",
                    "envFrom": [{"secretRef": {"name": secret}}]}]},
            },
        },
    })

    def running():
        pods = tenant.client.get(f"/api/v1/namespaces/{tenant.namespace}/pods",
                                 labelSelector=f"app={name}")["items"]
        return len(pods) == replicas and all(p["status"]["phase"] == "Running" for p in pods)

    wait_for(running, 30, f"the pods of {name} run")


class TestCommandLine:
    def test_kubectl_finds_it(self, plugin):
        done = plugin("version", kubectl=BINARIES / "kubectl")
        assert done.stdout.startswith("kubectl-deepgram ")

    def test_help_names_every_command(self, plugin):
        said = plugin("help").stdout
        for command in ("status", "rotate", "orphans", "doctor"):
            assert f"\n  {command} " in said

    def test_a_context_that_is_not_there(self, plugin):
        said = plugin("status", "--context=nowhere", code=1).stderr
        assert "nowhere" in said

    def test_a_context_of_the_kubeconfig(self, plugin, namespace):
        assert namespace in plugin("status", "--context=test", "-n", namespace).stdout


class TestStatus:
    def test_shows_resource_revisions_secrets_consumers_and_pods(
            self, cluster, tenant, operator, plugin):
        operator("--settle=2s")
        tenant.api_key("api-key", rotation={"overlap": "1h"})
        tenant.wait_ready("DeepgramApiKey", "api-key")
        deployment(tenant, "deepgram-api", "api-key")
        view, = plugin.json("status", "dgkey/api-key", "-n", tenant.namespace)
        assert view["ready"] == "True" and view["revision"] == 1
        consumer, = view["consumers"]
        assert (consumer["kind"], consumer["name"]) == ("Deployment", "deepgram-api")
        assert [pod["revision"] for pod in consumer["pods"]] == [1, 1]

        plugin("rotate", "dgkey/api-key", "-n", tenant.namespace)
        wait_for(lambda: tenant.find("DeepgramApiKey", "api-key")["status"]["revision"] == 2, 20,
                 "revision 2 is published")
        view, = plugin.json("status", "DeepgramApiKey", "api-key", "-n", tenant.namespace)
        assert [(r["revision"], r["state"], r["secret"]) for r in view["revisions"]] == [
            (2, "Current", "api-key-dgkey-r2"), (1, "Retiring", "api-key-dgkey-r1")]
        assert view["target"]["revision"] == 2
        lines = plugin("status", "-n", tenant.namespace).stdout.splitlines()
        assert lines[0].split() == ["NAME", "REVISION", "STATE", "DETAILS"]
        assert lines[1].startswith(f"DeepgramApiKey {tenant.namespace}/api-key ")
        kinds = [line.lstrip("│├└─ ").split()[0] for line in lines[1:]]
        assert kinds[:4] == ["DeepgramApiKey", "Secret", "Secret", "Secret"]
        assert "Deployment" in kinds and "Pod" in kinds

    def test_pods_older_than_the_publication(self, cluster, tenant, operator, plugin):
        operator("--settle=2s")
        tenant.api_key("api-key", rollout=None, rotation={"overlap": "1h"})
        tenant.wait_ready("DeepgramApiKey", "api-key")
        tenant.client.post(f"/api/v1/namespaces/{tenant.namespace}/pods", {
            "metadata": {"name": "bare"},
            "spec": {"containers": [{"name": "main", "image": "none.example.com/none",
                                     "envFrom": [{"secretRef": {"name": "api-key"}}]}]}})
        plugin("rotate", "dgkey/api-key", "-n", tenant.namespace)
        wait_for(lambda: tenant.find("DeepgramApiKey", "api-key")["status"]["revision"] == 2, 20,
                 "revision 2 is published")
        view, = plugin.json("status", "-n", tenant.namespace)
        bare, = view["consumers"]
        assert bare["kind"] == "Pod" and bare["pods"][0]["olderThan"] == 2
        assert "<2" in plugin("status", "-n", tenant.namespace).stdout

    def test_which_service_accounts_name_the_secret(self, tenant, operator, plugin):
        operator("--settle=2s")
        tenant.account("engine")
        tenant.account("api", [{"name": "regcred"}])
        tenant.pull_secret("regcred", serviceAccounts=["engine", "api", "missing"])
        tenant.wait_condition("DeepgramPullSecret", "regcred", "ServiceAccountsUpdated", "False",
                              "ServiceAccountNotFound")
        wait_for(lambda: tenant.entries("engine"), 10, "engine has it")
        view, = plugin.json("status", "dgpull/regcred", "-n", tenant.namespace)
        told = view["serviceAccounts"]
        assert (told["updated"], told["reason"]) == ("False", "ServiceAccountNotFound")
        assert [(account["name"], account["exists"], account["listed"], account["byOperator"])
                for account in told["accounts"]] == [
            ("engine", True, True, True), ("api", True, True, False),
            ("missing", False, False, False)]
        lines = plugin("status", "-n", tenant.namespace).stdout.splitlines()
        states = [line.split() for line in lines if "─ ServiceAccount " in line]
        assert [words[words.index("ServiceAccount") + 2] for words in states] == [
            "Listed", "Listed", "Missing"]

    def test_service_accounts_are_asked_for_only_when_one_is_named(
            self, control_plane, tenant, plugin):
        tenant.pull_secret("regcred", suspend=True)
        mark = control_plane.audit_mark()
        view, = plugin.json("status", "-n", tenant.namespace)
        assert "serviceAccounts" not in view
        assert [event for event in control_plane.audit(mark)
                if event["objectRef"].get("resource") == "serviceaccounts" and
                event["objectRef"].get("namespace") == tenant.namespace] == []

    def test_nothing_there(self, plugin, namespace):
        assert f"no resources in namespace {namespace}" in plugin("status", "-n", namespace).stdout

    def test_a_name_that_is_not_there(self, plugin, namespace):
        said = plugin("status", "dgkey/none", "-n", namespace, code=1).stderr
        assert f"no DeepgramApiKey none in namespace {namespace}" in said
        assert "kubectl get deepgram" in said

    def test_no_rights(self, plugin, namespace, stranger):
        said = plugin("status", "-n", namespace, kubeconfig=stranger, code=1).stderr
        assert "deepgramapikeys" in said and "cannot list" in said


class TestRotate:
    def test_waits_until_it_is_done(self, tenant, operator, plugin):
        operator("--settle=2s")
        tenant.api_key("api-key")
        tenant.wait_ready("DeepgramApiKey", "api-key")
        said = plugin("rotate", "dgkey/api-key", "--wait", "-n", tenant.namespace).stdout
        assert "revision 2 is published" in said
        found = tenant.find("DeepgramApiKey", "api-key")
        assert found["status"]["revision"] == 2
        assert len(tenant.creates()) == 2
        manager, = (entry["manager"] for entry in found["metadata"]["managedFields"]
                    if "f:deepgram.com/rotate" in str(entry))
        assert manager == "kubectl-deepgram"

    def test_twice_is_two_rotations(self, tenant, operator, plugin):
        operator("--settle=2s")
        tenant.pull_secret("regcred")
        tenant.wait_ready("DeepgramPullSecret", "regcred")
        for _ in range(2):
            plugin("rotate", "dgpull/regcred", "--wait", "-n", tenant.namespace)
        assert len(tenant.creates()) == 3

    def test_suspended(self, tenant, plugin):
        tenant.api_key("api-key", suspend=True)
        said = plugin("rotate", "dgkey/api-key", "--wait", "-n", tenant.namespace, code=1).stdout
        assert "spec.suspend" in said

    def test_nobody_answers(self, tenant, plugin):
        tenant.api_key("api-key")
        done = plugin("rotate", "dgkey/api-key", "--wait", "--timeout=2s", "-n", tenant.namespace,
                      code=1)
        assert "waiting for the operator" in done.stdout
        assert "--timeout" in done.stderr

    def test_no_rights(self, tenant, plugin, stranger):
        tenant.api_key("api-key")
        said = plugin("rotate", "dgkey/api-key", "-n", tenant.namespace, kubeconfig=stranger,
                      code=1).stderr
        assert "cannot get" in said


class TestOrphans:
    def test_names_what_no_resource_names(self, tenant, operator, plugin):
        operator("--settle=2s")
        tenant.api_key("api-key", deletionPolicy="Retain")
        tenant.pull_secret("regcred")
        kept = tenant.wait_ready("DeepgramApiKey", "api-key")["status"]["id"]
        tenant.wait_ready("DeepgramPullSecret", "regcred")
        assert "No orphans" in plugin("orphans", "-n", tenant.namespace).stdout
        uid = tenant.find("DeepgramApiKey", "api-key")["metadata"]["uid"]
        tenant.delete("DeepgramApiKey", "api-key")
        tenant.wait_gone("DeepgramApiKey", "api-key")
        for secret in ("api-key", "api-key-dgkey-r1"):
            tenant.client.delete(tenant.secret_path(secret))
        tenant.api_key("other", suspend=True)  # its project is one to look at
        orphan, = plugin.json("orphans", "-n", tenant.namespace)
        assert (orphan["id"], orphan["state"], orphan["uid"]) == (kept, "NoResource", uid)
        said = plugin("orphans", "-n", tenant.namespace).stdout
        assert kept in said and "Deepgram console" in said
        assert kept in tenant.live()  # only looked at

    def test_wrong_admin_key(self, tenant, plugin):
        tenant.put_admin_secret("0" * 40)
        tenant.api_key("api-key", suspend=True)
        said = plugin("orphans", "-n", tenant.namespace, code=1).stderr
        assert f"Secret {tenant.namespace}/{ADMIN_SECRET}" in said

    def test_deepgram_down(self, tenant, plugin):
        tenant.api_key("api-key", suspend=True)
        said = plugin("orphans", "-n", tenant.namespace, url="http://127.0.0.1:1", code=1).stderr
        assert "project" in said and tenant.project_id in said


class TestDoctor:
    def checks(self, plugin, *args, **how):
        """{check: (state, message, next)}"""
        return {entry["check"]: (entry["state"], entry["message"], entry.get("next"))
                for entry in plugin.json("doctor", *args, **how)["checks"]}

    def test_all_is_well(self, tenant, operator, plugin):
        operator("--settle=2s")
        tenant.api_key("api-key")
        tenant.pull_secret("regcred")
        tenant.wait_ready("DeepgramApiKey", "api-key")
        tenant.wait_ready("DeepgramPullSecret", "regcred")
        before = len(plugin.emulator.requests())
        said = plugin("doctor", "-n", tenant.namespace).stdout
        assert said.endswith("Everything is in order.\n")
        assert "leads" in said
        asked = plugin.emulator.requests()[before:]
        assert asked and {request["method"] for request in asked} == {"GET"}

    def test_no_operator(self, control_plane, tenant, plugin):
        tenant.api_key("api-key")
        found = self.checks(plugin, "-n", tenant.namespace, code=1)
        state, message, next_step = found["operator"]
        assert state == "problem" and "Lease" in message and "--operator-namespace" in next_step
        state, message, _ = found[f"dgkey/api-key in {tenant.namespace}"]
        assert state == "problem" and "Pending" in message

    def test_wrong_admin_key(self, tenant, operator, plugin):
        operator("--settle=2s")
        tenant.put_admin_secret("0" * 40)
        tenant.api_key("api-key")
        state, message, next_step = self.checks(plugin, "-n", tenant.namespace, code=1)[
            f"admin key {tenant.namespace}/{ADMIN_SECRET}"]
        assert state == "problem" and "put a working key" in next_step

    def test_admin_key_of_a_member(self, tenant, operator, plugin):
        operator("--settle=2s")
        project = plugin.emulator.add_project(admin_keys=[{"role": "member"}])
        tenant.project_id = project["project_id"]
        tenant.put_admin_secret(project["admin_keys"][0]["key"])
        tenant.api_key("api-key")
        found = self.checks(plugin, "-n", tenant.namespace, code=1)
        state, message, next_step = found[f"admin key {tenant.namespace}/{ADMIN_SECRET}"]
        assert state == "problem" and "may not write keys" in message and "owner" in next_step
        assert found[f"project {tenant.project_id}"][0] == "problem"

    def test_admin_secret_missing(self, tenant, plugin):
        tenant.api_key("api-key", credentialsRef={"name": "nowhere"})
        state, message, next_step = self.checks(plugin, "-n", tenant.namespace, code=1)[
            f"admin key {tenant.namespace}/nowhere"]
        assert state == "problem" and "create secret generic nowhere" in next_step

    def test_deepgram_down(self, plugin, namespace):
        state, message, next_step = self.checks(
            plugin, "-n", namespace, url="http://127.0.0.1:1", code=1)["Deepgram"]
        assert state == "problem" and "can't be reached" in message and "DNS" in next_step

    def test_something_else_answers_in_deepgrams_place(self, plugin, namespace):
        plugin.emulator.add_fault(operation="auth_token", kind="html")
        state, message, next_step = self.checks(plugin, "-n", namespace, code=1)["Deepgram"]
        assert state == "problem" and "HTTP 200" in message and "proxy" in next_step

    def test_no_rights(self, plugin, namespace, stranger):
        found = self.checks(plugin, "-n", namespace, kubeconfig=stranger, code=1)
        state, message, next_step = found["your rights"]
        assert state == "problem" and f"list pods in namespace {namespace}" in message
        assert found["rights of deepgram-operator"][0] == "note"

    def test_a_right_of_the_operator_is_missing(self, control_plane, plugin, namespace):
        client = control_plane.client
        path = "/apis/rbac.authorization.k8s.io/v1/clusterroles/deepgram-operator"
        before = client.get(path)
        rules = [rule for rule in before["rules"] if "pods" not in rule["resources"]]
        client.patch(path, {"rules": rules})
        try:
            state, message, next_step = self.checks(plugin, "-n", namespace, code=1)[
                "rights of deepgram-operator"]
        finally:
            client.patch(path, {"rules": before["rules"]})
        assert state == "problem"
        assert message == (f"not allowed to list pods in namespace {namespace}; "
                           f"watch pods in namespace {namespace}")
        assert "rbac" in next_step

    def test_service_accounts_are_looked_at_when_a_resource_names_one(
            self, control_plane, tenant, plugin):
        client = control_plane.client
        path = "/apis/rbac.authorization.k8s.io/v1/clusterroles/deepgram-operator"
        before = client.get(path)
        rules = [rule for rule in before["rules"] if "serviceaccounts" not in rule["resources"]]
        client.patch(path, {"rules": rules})
        try:
            tenant.pull_secret("regcred", suspend=True)
            found = self.checks(plugin, "-n", tenant.namespace, code=1)  # nobody leads
            assert found["rights of deepgram-operator"][0] == "ok"
            tenant.patch("DeepgramPullSecret", "regcred", {"spec": {"serviceAccounts": ["engine"]}})
            state, message, _ = self.checks(plugin, "-n", tenant.namespace, code=1)[
                "rights of deepgram-operator"]
        finally:
            client.patch(path, {"rules": before["rules"]})
        assert state == "problem"
        assert f"patch serviceaccounts in namespace {tenant.namespace}" in message

    def test_an_account_that_is_missing(self, tenant, operator, plugin):
        operator("--settle=2s")
        tenant.pull_secret("regcred", serviceAccounts=["missing"])
        tenant.wait_condition("DeepgramPullSecret", "regcred", "ServiceAccountsUpdated", "False",
                              "ServiceAccountNotFound")
        found = self.checks(plugin, "-n", tenant.namespace, code=1)
        state, message, _ = found[f"accounts of dgpull/regcred in {tenant.namespace}"]
        assert state == "problem" and "ServiceAccount missing doesn't exist" in message
        assert found[f"dgpull/regcred in {tenant.namespace}"][0] == "ok"

    def test_api_server_gone(self, control_plane, plugin, tmp_path):
        kubeconfig = control_plane.write_kubeconfig(
            tmp_path / "gone.kubeconfig", {"token": "x"}, "default", "https://127.0.0.1:1")
        (check, found), = self.checks(plugin, kubeconfig=kubeconfig, code=1).items()
        assert check == "API server" and found[0] == "problem"
