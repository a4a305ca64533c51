"""Releases on a real API server: install, upgrade, uninstall, with the operator at work as the chart
says: its command line, environment, volumes, user and ServiceAccount."""

import json
import shutil
import time

import yaml

from chart import CHART, MANIFESTS
from kubectl_deepgram import Plugin
from polling import wait_for
from release import (CRD_PATH, CRDS, NAME, delete_both, issue_both, make_namespace, running,
                     works_with_private_ca_and_proxy)
from resources import Tenant, condition

REVIEWS = "/apis/authorization.k8s.io/v1"


def consumer_pods(tenant):
    """The UIDs of its pods once both run, and the generation of the Deployment."""
    def running():
        pods = tenant.client.get(f"/api/v1/namespaces/{tenant.namespace}/pods",
                                 labelSelector="app=consumer")["items"]
        assert [pod["status"]["phase"] for pod in pods] == ["Running"] * 2
        return sorted(pod["metadata"]["uid"] for pod in pods)

    path = f"/apis/apps/v1/namespaces/{tenant.namespace}/deployments/consumer"
    return wait_for(running, 30, "the consumer runs"), tenant.client.get(path)["metadata"]["generation"]


def consumer(tenant, secret):
    """A Deployment that loads the Secret as its environment."""
    tenant.client.post(f"/apis/apps/v1/namespaces/{tenant.namespace}/deployments", {
        "metadata": {"name": "consumer"},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "consumer"}}, "template": {
            "metadata": {"labels": {"app": "consumer"}},
            "spec": {"terminationGracePeriodSeconds": 0, "containers": [{
                "name": "main", "image": "none.example.com/none",
                "envFrom": [{"secretRef": {"name": secret}}]}]}}}})
    return consumer_pods(tenant)


class TestInstall:
    def test_resources_become_ready_and_go(self, release):
        notes = release.install().stdout
        assert "NOTES:" in notes
        mark = release.plane.audit_mark()
        with running(release.operator()):
            tenant = release.tenant()
            issue_both(tenant)
            assert tenant.data("api-key").keys() == {"DEEPGRAM_API_KEY"}
            delete_both(tenant)
        requests = release.plane.audit(since=mark, user=release.user)
        assert {event["verb"] for event in requests} >= {"list", "create", "update", "patch", "delete"}
        assert [event for event in requests if event["responseStatus"]["code"] == 403] == []

    def test_plain_manifests_do_the_same(self, release):
        """manifests/install.yaml, with the test's own addresses as a kustomization would put them."""
        namespace = "deepgram-operator-system"
        objects = list(yaml.safe_load_all((MANIFESTS / "install.yaml").read_text()))
        for entry in objects:
            if entry["kind"] == "Deployment":
                entry["spec"]["replicas"] = 1
                container, = entry["spec"]["template"]["spec"]["containers"]
                container["args"] += [f"--deepgram-url={release.emulator.url}",
                                      f"--registry-url={release.emulator.url}",
                                      f"--listen=:{release.values['port']}"]
                container["ports"][0]["containerPort"] = release.values["port"]
        release.plane.apply(yaml.safe_dump_all(objects))
        release.namespace = namespace
        try:
            with running(release.operator()):
                tenant = release.tenant()
                issue_both(tenant)
                delete_both(tenant)
        finally:
            release.plane.kubectl("delete", "-f", "-", "--wait=true",
                                  input=yaml.safe_dump_all(objects))

    def test_private_ca_and_proxy(self, release):
        works_with_private_ca_and_proxy(release)

    def test_default_credentials(self, release):
        tenant = release.tenant()
        other = release.tenant(make_namespace(release.plane, "other"))
        release.install(defaultCredentials={
            "secretName": "deepgram-admin", "namespace": tenant.namespace,
            "allowedNamespaces": []})
        with running(release.operator()):
            tenant.api_key("api-key", credentialsRef=None)
            tenant.wait_ready("DeepgramApiKey", "api-key")
            other.api_key("api-key", credentialsRef=None)
            other.wait_condition("DeepgramApiKey", "api-key", "Stalled", "True")
            for found in (tenant, other):
                found.delete("DeepgramApiKey", "api-key")
                found.wait_gone("DeepgramApiKey", "api-key")


class TestWatchNamespaces:
    # Every verb that there is, on all that a Secret could be got by.
    VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
    RESOURCES = (("", "secrets"), ("", "pods"), ("", "configmaps"), ("", "namespaces"),
                 ("", "serviceaccounts"), ("deepgram.com", "deepgramapikeys"),
                 ("deepgram.com", "deepgrampullsecrets"), ("apps", "deployments"),
                 ("events.k8s.io", "events"), ("coordination.k8s.io", "leases"),
                 ("rbac.authorization.k8s.io", "clusterroles"))

    def rules(self, client, namespace):
        review = client.post(f"{REVIEWS}/selfsubjectrulesreviews", {"spec": {"namespace": namespace}})
        assert not review["status"]["incomplete"]
        return sorted(review["status"]["resourceRules"], key=json.dumps)  # they come in any order

    def allowed(self, release, namespace, name=""):
        """{(verb, resource)} of what the operator may do in the namespace ("" for all)."""
        def ask(verb, group, resource):
            return release.client.post(f"{REVIEWS}/subjectaccessreviews", {"spec": {
                "user": release.user,
                "groups": ["system:serviceaccounts", f"system:serviceaccounts:{release.namespace}",
                           "system:authenticated"],
                "resourceAttributes": {"verb": verb, "group": group, "resource": resource,
                                       "namespace": namespace, "name": name},
            }})["status"]["allowed"]

        return {(verb, resource) for verb in self.VERBS for group, resource in self.RESOURCES
                if ask(verb, group, resource)}

    def test_work_there_and_no_rights_elsewhere(self, release):
        watched, ignored = release.tenant(), release.tenant()
        release.install(watchNamespaces=[watched.namespace])
        with running(release.operator()):
            ignored.api_key("api-key")
            issue_both(watched)
            assert condition(ignored.find("DeepgramApiKey", "api-key"), "Ready")["status"] == "Unknown"
            delete_both(watched)
        ignored.delete("DeepgramApiKey", "api-key")

        assert ("create", "secrets") in self.allowed(release, watched.namespace)
        assert self.allowed(release, release.namespace) == {("create", "leases")}
        assert self.allowed(release, release.namespace, NAME) == {
            ("get", "leases"), ("update", "leases"), ("create", "leases")}
        for namespace in ("", ignored.namespace, "kube-system", "default"):
            assert self.allowed(release, namespace) == set(), namespace
            assert self.allowed(release, namespace, "some-name") == set(), namespace

        # And whatever else there is: no more than any ServiceAccount has.
        operator = release.plane.client_for(release.namespace, NAME)
        nobody = release.plane.client_for(release.namespace, "default")
        for namespace in (ignored.namespace, "kube-system", "default"):
            assert self.rules(operator, namespace) == self.rules(nobody, namespace)
        assert self.rules(operator, watched.namespace) != self.rules(nobody, watched.namespace)

    def test_default_credentials_from_elsewhere_are_one_secret(self, release):
        admin, watched = release.tenant(), make_namespace(release.plane, "voice")
        tenant = Tenant(release.plane, release.emulator, watched, project={
            "project_id": admin.project_id,
            "admin_keys": [{"key": admin.admin_key, "api_key_id": admin.admin_key_id}]})
        release.install(watchNamespaces=[watched], defaultCredentials={
            "secretName": "deepgram-admin", "namespace": admin.namespace,
            "allowedNamespaces": [watched]})
        with running(release.operator()):
            tenant.api_key("api-key", credentialsRef=None)
            tenant.wait_ready("DeepgramApiKey", "api-key")
            tenant.delete("DeepgramApiKey", "api-key")
            tenant.wait_gone("DeepgramApiKey", "api-key")
        assert self.allowed(release, admin.namespace) == set()
        assert self.allowed(release, admin.namespace, "deepgram-admin") == {("get", "secrets")}

    def test_two_releases_share_a_cluster(self, release, cluster_helm):
        speech, voice = (make_namespace(release.plane, name) for name in ("speech", "voice"))
        release.install(watchNamespaces=[speech])
        second = make_namespace(release.plane, "ops")
        cluster_helm("install", NAME, CHART, "--namespace", second, "--wait", values={
            "watchNamespaces": [voice], "crds": {"enabled": False}, "rbac": {"aggregate": False}})
        cluster_helm("uninstall", NAME, "--namespace", second, "--wait")


class TestHelmTest:
    """The hook's pod, its command line and ServiceAccount as the chart renders them."""

    def test_passes_and_mints_nothing(self, release):
        release.install()
        code, said = release.test()
        assert code == 0, said
        assert said.endswith("Everything is in order.\n")
        requests = release.emulator.requests()
        assert [(r["method"], r["path"]) for r in requests] == [("GET", "/v1/auth/token")]
        pods = release.client.get(f"/api/v1/namespaces/{release.namespace}/pods")["items"]
        assert not [pod for pod in pods if pod["metadata"]["name"].endswith("-test")]

    def test_passes_with_roles_in_some_namespaces(self, release):
        tenant, admin = release.tenant(), release.tenant()
        release.install(watchNamespaces=[tenant.namespace], defaultCredentials={
            "secretName": "deepgram-admin", "namespace": admin.namespace})
        code, said = release.test()
        assert code == 0, said
        assert "admin key" in said

    def test_names_a_right_that_is_missing(self, release):
        release.install()
        path = f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{NAME}"
        rules = release.client.get(path)["rules"]
        for rule in rules:
            if "deepgramapikeys/status" in rule["resources"]:
                rule["resources"].remove("deepgramapikeys/status")
        release.client.patch(path, {"rules": rules})
        code, said = release.test()
        assert code != 0
        assert "PROBLEM  rights" in said
        assert "not allowed to patch deepgramapikeys/status in all namespaces\n" in said

    def test_default_credentials_that_are_not_there(self, release):
        release.install(defaultCredentials={"secretName": "nowhere"})
        code, said = release.test()
        assert code != 0
        assert f"kubectl -n {release.namespace} create secret generic nowhere" in said

    def test_deepgram_out_of_reach(self, release):
        release.install(deepgram={"url": "http://127.0.0.1:1"})
        code, said = release.test()
        assert code != 0
        assert "PROBLEM  Deepgram" in said and "can't be reached" in said

    def test_crds_of_an_earlier_version(self, release):
        release.install()
        path = f"{CRD_PATH}/{CRDS[0]}"
        crd = release.client.get(path)
        schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        del schema["properties"]["status"]["properties"]["nextRotationAt"]
        release.client.put(path, crd)
        code, said = release.test()
        assert code != 0
        assert "lacks status.nextRotationAt" in said and "upgrade the CRDs" in said


class TestPlugin:
    def test_doctor_asks_for_exactly_the_rights_that_the_chart_grants(self, release, helm, tmp_path):
        release.install()
        plugin = Plugin(tmp_path, release.plane.kubeconfig_admin, release.emulator)
        report = plugin.json("doctor", "-A", f"--operator-namespace={release.namespace}", code=1)
        asked, = (entry["rights"] for entry in report["rights"]
                  if entry["check"] == f"rights of {NAME}")
        assert all(right["allowed"] for right in asked)
        granted = {(group, resource, verb, name)
                   for entry in helm.render() if entry["kind"] in ("Role", "ClusterRole")
                   and not entry["metadata"]["name"].endswith(("-view", "-edit"))
                   for rule in entry["rules"] for group in rule["apiGroups"]
                   for resource in rule["resources"] for verb in rule["verbs"]
                   for name in rule.get("resourceNames", [None])}
        # Those on ServiceAccounts only where a resource names some (test_plugin.py).
        assert {right for right in granted if right[1] != "serviceaccounts"} == {
            (right["group"], "/".join(filter(None, (right["resource"], right.get("subresource")))),
             right["verb"], right.get("name")) for right in asked}


class TestPluginWithoutCrds:
    def test_status_says_what_is_missing(self, cluster, emulator, tmp_path):
        plugin = Plugin(tmp_path, cluster.kubeconfig_admin, emulator)
        said = plugin("status", code=1).stderr
        assert "doesn't know the resource type DeepgramApiKey" in said
        assert "kubectl deepgram doctor" in said

    def test_doctor_says_what_to_do(self, cluster, emulator, tmp_path):
        plugin = Plugin(tmp_path, cluster.kubeconfig_admin, emulator)
        found = {entry["check"]: entry for entry in plugin.json("doctor", code=1)["checks"]}
        assert found["API server"]["state"] == "ok"
        assert found["CRDs"]["state"] == "problem"
        assert "kubectl apply -f crds" in found["CRDs"]["next"]
        assert found["operator"]["state"] == "problem"


class TestUpgrade:
    """What an upgrade changes: the Deployment (a new image), the CRDs. What it must not: anything of
    the resources, at Deepgram or of who uses the credentials."""

    @staticmethod
    def earlier(directory):
        """The chart as a release before: another version, and CRDs with a column less."""
        shutil.copytree(CHART, directory)
        chart = yaml.safe_load((directory / "Chart.yaml").read_text())
        (directory / "Chart.yaml").write_text(
            yaml.safe_dump({**chart, "version": "0.0.9", "appVersion": "0.0.9"}))
        for path in (directory / "files" / "crds").iterdir():
            crd = yaml.safe_load(path.read_text())
            crd["spec"]["versions"][0]["additionalPrinterColumns"].pop()
            path.write_text(yaml.safe_dump(crd))
        return directory

    @staticmethod
    def state(tenant):
        """Of all that must stay as it is: resources with their Secrets, the workload, its pods."""
        return {
            "resources": [tenant.find("DeepgramApiKey", "api-key"),
                          tenant.find("DeepgramPullSecret", "regcred")],
            "secrets": [(secret["metadata"]["uid"], secret["metadata"]["resourceVersion"])
                        for secret in tenant.secrets()],
            "consumer": consumer_pods(tenant),
            "live": sorted(tenant.live()),
            "creates": len(tenant.creates()),
        }

    @staticmethod
    def at_rest(tenant):
        """The state, once it has told its new consumers and nothing changes any more."""
        def resting():
            before = TestUpgrade.state(tenant)
            time.sleep(2)
            return before if TestUpgrade.state(tenant) == before else None

        return wait_for(resting, 30, "nothing changes")

    def test_from_an_earlier_chart_nothing_is_created_written_or_restarted(self, release, tmp_path):
        def deployment():
            return release.client.get(
                f"/apis/apps/v1/namespaces/{release.namespace}/deployments/{NAME}")["spec"]["template"]

        def columns():
            crd = release.client.get(f"{CRD_PATH}/{CRDS[0]}")
            return crd["spec"]["versions"][0]["additionalPrinterColumns"]

        release.install(self.earlier(tmp_path / "earlier"))
        old = deployment(), columns()
        tenant = release.tenant()
        with running(release.operator()):
            issue_both(tenant)
            consumer(tenant, "api-key")
            before = self.at_rest(tenant)
        release.install()
        assert deployment() != old[0] and len(columns()) == len(old[1]) + 1
        mark = release.plane.audit_mark()
        tenant.emulator.clear_requests()
        with running(release.operator()):
            # It looks at each resource and lists what the project has of each kind.
            wait_for(lambda: {r["operation"] for r in tenant.emulator.requests()} >= {
                "list_keys", "list_credentials"}, 20, "it has looked at everything")
            time.sleep(2)
            assert self.state(tenant) == {**before, "creates": 0}
            written = [(event["verb"], event["objectRef"]["resource"])
                       for event in release.plane.audit(mark, release.user)
                       if event["verb"] not in ("get", "list", "watch")
                       and event["objectRef"]["resource"] != "leases"]
            assert written == []
            tenant.client.delete(
                f"/apis/apps/v1/namespaces/{tenant.namespace}/deployments/consumer")
            delete_both(tenant)


class TestUninstall:
    def test_keeps_what_was_made_and_a_new_installation_carries_on(self, release):
        release.install()
        tenant = release.tenant()
        with running(release.operator()):
            before = issue_both(tenant)
        release.uninstall()
        ids = sorted(found["status"]["id"] for found in before)
        for crd in CRDS:
            assert "deletionTimestamp" not in release.client.get(f"{CRD_PATH}/{crd}")["metadata"]
        assert tenant.find("DeepgramApiKey", "api-key") and tenant.secret("regcred")
        assert sorted(tenant.live()) == ids
        tenant.delete("DeepgramApiKey", "api-key")  # waits for an operator

        release.install()
        with running(release.operator()):
            tenant.wait_gone("DeepgramApiKey", "api-key")
            assert len(tenant.creates()) == 2
            tenant.delete("DeepgramPullSecret", "regcred")
            tenant.wait_gone("DeepgramPullSecret", "regcred")
            assert tenant.live() == []

    def test_with_the_crds_leaves_nothing(self, release):
        release.install(crds={"keep": False})
        release.plane.load_storage(*CRDS)
        code, said = release.uninstall_with_crds()
        assert code == 0 and said == "No resources are left.\n"
        wait_for(lambda: not any(release.client.find(f"{CRD_PATH}/{crd}") for crd in CRDS), 30,
                 "the CRDs are gone")
        for kind in ("clusterroles", "clusterrolebindings"):
            found = release.client.get(f"/apis/rbac.authorization.k8s.io/v1/{kind}")["items"]
            assert not [entry for entry in found if NAME in entry["metadata"]["name"]]

    def test_with_the_crds_and_resources_left_is_refused(self, release):
        """Nothing has gone, and everything goes on."""
        release.install(crds={"keep": False})
        tenant = release.tenant()
        with running(release.operator()):
            tenant.api_key("api-key")
            tenant.wait_ready("DeepgramApiKey", "api-key")
            code, said = release.uninstall_with_crds()
            assert code != 0
            assert f"DeepgramApiKey {tenant.namespace}/api-key\n" in said
            assert "kubectl delete dgkey,dgpull --all --all-namespaces" in said
            assert "deletionTimestamp" not in tenant.find("DeepgramApiKey", "api-key")["metadata"]
            # Helm takes the release for half uninstalled; it can go back, or on.
            release.helm("rollback", NAME, "1", "--namespace", release.namespace, "--no-hooks")
            release.install()
            tenant.delete("DeepgramApiKey", "api-key")
            tenant.wait_gone("DeepgramApiKey", "api-key")
            code, said = release.uninstall_with_crds()
            assert code == 0, said

    def test_with_the_crds_and_resources_left_can_be_undone(self, release):
        """Insisted on, they wait for an operator, and a new installation is one."""
        release.install(crds={"keep": False})
        tenant = release.tenant()
        with running(release.operator()):
            tenant.api_key("api-key")
            tenant.wait_ready("DeepgramApiKey", "api-key")
        release.helm("uninstall", NAME, "--namespace", release.namespace, "--no-hooks",
                     "--timeout=60s")
        assert len(tenant.live()) == 1
        release.install()
        with running(release.operator()):
            tenant.wait_gone("DeepgramApiKey", "api-key")
            assert tenant.live() == []
        wait_for(lambda: release.client.find(f"{CRD_PATH}/{CRDS[0]}") is None, 30,
                 "the CRD that was being deleted is gone")
        release.install()
        assert release.client.find(f"{CRD_PATH}/{CRDS[0]}")
