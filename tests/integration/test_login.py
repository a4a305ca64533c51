"""How the operator logs in, and that it gets by with rights on some namespaces only."""

import json
import os
import stat
import subprocess
import uuid

import httpx
import pytest

import operator_process
from api_client import ApiClient, ApiError
from conftest import delete_namespace
from hours import in_seconds
from operator_process import NAMESPACE, SERVICE_ACCOUNT
from polling import wait_for
from process import Process, free_port
from resources import Tenant

KIND = "DeepgramApiKey"
ROLES = "/apis/rbac.authorization.k8s.io/v1"
LONG_LEASE = ("--lease-duration=90s", "--lease-renew=80s")


def works(tenant, name="api-key", timeout=10):
    tenant.api_key(name)
    tenant.wait_ready(KIND, name, timeout)


# ---- tokens in a file ----


class BoundToken:
    """A token of the operator's ServiceAccount that lives as long as a Secret."""

    def __init__(self, plane):
        self.plane = plane
        self.path = f"/api/v1/namespaces/{NAMESPACE}/secrets/token-{uuid.uuid4().hex[:8]}"
        secrets, _, name = self.path.rpartition("/")
        plane.client.post(secrets, {"metadata": {"name": name}})
        self.text = plane.client.post(
            f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{SERVICE_ACCOUNT}/token",
            {"spec": {"boundObjectRef": {"apiVersion": "v1", "kind": "Secret", "name": name}}},
        )["status"]["token"]

    def revoke(self):
        """Returns when the API server refuses it, which it does after some ten seconds."""
        self.plane.client.delete(self.path)
        asking = ApiClient(self.plane.url, self.plane.pki.ca, token=self.text)
        try:
            wait_for(lambda: self._refused(asking), 30, "the token is refused")
        finally:
            asking.close()

    @staticmethod
    def _refused(asking):
        try:
            asking.get("/api/v1/namespaces")
        except ApiError as error:
            return error.status == 401
        return False


def test_a_revoked_token_is_read_again_from_its_file(control_plane, tenant, operator, tmp_path):
    token_file = tmp_path / "token"
    first, second, third = (BoundToken(control_plane) for _ in range(3))
    token_file.write_text(first.text)
    kubeconfig = control_plane.write_kubeconfig(
        tmp_path / "kubeconfig", {"tokenFile": str(token_file)}, NAMESPACE)
    process = operator(f"--kubeconfig={kubeconfig}", *LONG_LEASE)
    works(tenant, "before")

    token_file.write_text(second.text + "\n")
    first.revoke()
    works(tenant, "renewed")

    second.revoke()  # while the file still holds it
    tenant.api_key("late")
    wait_for(lambda: process.metrics().value(
        "deepgram_operator_kubernetes_requests_total", code="401") >= 2, 10, "it is refused")
    token_file.write_text(third.text)
    tenant.wait_ready(KIND, "late")

    assert len(tenant.creates()) == 3
    process.check_secrets([first.text, second.text, third.text])
    control_plane.client.delete(third.path)


# ---- certificates and plugins ----


def test_a_client_certificate(control_plane, tenant, operator, tmp_path):
    certificate, key = control_plane.pki.client["operator"]
    kubeconfig = control_plane.write_kubeconfig(
        tmp_path / "kubeconfig",
        {"client-certificate": str(certificate), "client-key": str(key)}, NAMESPACE)
    operator(f"--kubeconfig={kubeconfig}")
    works(tenant)


def plugin(directory, status):
    """A credential plugin that says `status` and notes each call in the file "calls"."""
    answer = directory / "answer.json"
    answer.write_text(json.dumps({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "status": status}))
    script = directory / "plugin"
    script.write_text(f'#!/bin/sh\necho "$CLUSTER $1" >>{directory}/calls\ncat {answer}\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return {"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": str(script),
        "args": ["login"], "env": [{"name": "CLUSTER", "value": "test"}],
        "interactiveMode": "Never"}}


def calls(directory):
    return (directory / "calls").read_text().splitlines()


def test_a_plugin_that_gives_a_token(control_plane, tenant, operator, tmp_path):
    token = control_plane.token_for(NAMESPACE, SERVICE_ACCOUNT)
    user = plugin(tmp_path, {"token": token, "expirationTimestamp": in_seconds(3)})
    kubeconfig = control_plane.write_kubeconfig(tmp_path / "kubeconfig", user, NAMESPACE)
    process = operator(f"--kubeconfig={kubeconfig}")
    works(tenant)
    assert calls(tmp_path) == ["test login"]  # many requests, one call
    wait_for(lambda: len(calls(tmp_path)) > 1, 10, "it asks again once the token has expired")
    process.check_secrets([token])


def test_a_plugin_that_gives_a_certificate(control_plane, tenant, operator, tmp_path):
    certificate, key = control_plane.pki.client["operator"]
    user = plugin(tmp_path, {
        "clientCertificateData": certificate.read_text(), "clientKeyData": key.read_text()})
    kubeconfig = control_plane.write_kubeconfig(tmp_path / "kubeconfig", user, NAMESPACE)
    operator(f"--kubeconfig={kubeconfig}")
    works(tenant)
    assert calls(tmp_path) == ["test login"]


# ---- in a pod ----

IN_POD = """
set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/secrets/kubernetes.io/serviceaccount
mount --bind "$0" /run/secrets/kubernetes.io/serviceaccount
exec "$@"
"""
UNSHARE = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]


@pytest.mark.skipif(
    subprocess.run([*UNSHARE, "mount", "-t", "tmpfs", "tmpfs", "/run"],
                   capture_output=True).returncode != 0,
    reason="a mount namespace, to put a ServiceAccount's files where a pod has them, "
           "needs root or user namespaces")
def test_in_a_pod(control_plane, tenant, tmp_path):
    files = tmp_path / "serviceaccount"
    files.mkdir()
    (files / "token").write_text(control_plane.token_for(NAMESPACE, SERVICE_ACCOUNT))
    (files / "ca.crt").write_bytes(control_plane.pki.ca.read_bytes())
    (files / "namespace").write_text(NAMESPACE)
    listen = f"127.0.0.1:{free_port()}"
    process = Process(
        "deepgram-operator",
        [*UNSHARE, "setpriv", "--pdeathsig", "KILL", "sh", "-c", IN_POD, files,
         *operator_process.WRAPPER, operator_process.BINARY, f"--listen={listen}",
         f"--deepgram-url={tenant.emulator.url}"],
        tmp_path / "log",
        {**os.environ, "KUBERNETES_SERVICE_HOST": "127.0.0.1",
         "KUBERNETES_SERVICE_PORT": str(control_plane.port)},
    )
    process.start()
    try:
        wait_for(lambda: httpx.get(f"http://{listen}/readyz", trust_env=False).is_success, 60,
                 f"the operator is ready; its log is {process.log_path}")
        works(tenant)
        assert process.stop(grace_s=15) == 0, process.log_tail()
    finally:
        process.kill()


# ---- rights on some namespaces ----


@pytest.fixture
def namespaces(control_plane):
    """Three fresh ones."""
    client = control_plane.client
    names = [f"{letter}-{uuid.uuid4().hex[:6]}" for letter in "abc"]
    for name in names:
        client.post("/api/v1/namespaces", {"metadata": {"name": name}})
    yield names
    for name in names:
        delete_namespace(client, name)


def grant(client, namespace, rules, account):
    """A Role with the rules and a RoleBinding, both of the ServiceAccount's name."""
    path = f"{ROLES}/namespaces/{namespace}"
    client.post(f"{path}/roles", {"metadata": {"name": account}, "rules": rules})
    client.post(f"{path}/rolebindings", {
        "metadata": {"name": account},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": account},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}]})


@pytest.fixture
def bounded_account(control_plane, namespaces):
    """A ServiceAccount with Roles in the first two namespaces and for the lease, nothing else."""
    client = control_plane.client
    account = f"bounded-{uuid.uuid4().hex[:6]}"
    accounts = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts"
    client.post(accounts, {"metadata": {"name": account}})
    rules = client.get(f"{ROLES}/clusterroles/deepgram-operator")["rules"]
    namespaced = [rule for rule in rules if "namespaces" not in rule["resources"]]
    for name in namespaces[:2]:
        grant(client, name, namespaced, account)
    roles = client.get(f"{ROLES}/namespaces/{NAMESPACE}/roles")["items"]
    lease = [rule for role in roles for rule in role["rules"] if "leases" in rule["resources"]]
    grant(client, NAMESPACE, lease, account)
    yield account
    for path in ("rolebindings", "roles"):
        client.delete(f"{ROLES}/namespaces/{NAMESPACE}/{path}/{account}")
    client.delete(f"{accounts}/{account}")


def test_some_namespaces_with_roles_only(
        control_plane, emulator, operator, namespaces, bounded_account):
    tenants = [Tenant(control_plane, emulator, name) for name in namespaces]
    for tenant in tenants:
        tenant.put_admin_secret()
    mark = control_plane.audit_mark()
    kubeconfig = control_plane.kubeconfig_for(NAMESPACE, bounded_account)
    operator(f"--kubeconfig={kubeconfig}", f"--namespaces={','.join(namespaces[:2])}")
    for tenant in tenants:
        tenant.api_key()
        tenant.pull_secret()
    for tenant in tenants[:2]:
        tenant.wait_ready(KIND, "api-key")
        tenant.wait_ready("DeepgramPullSecret", "regcred")
    both = ((KIND, "api-key"), ("DeepgramPullSecret", "regcred"))
    for kind, name in both:
        tenants[0].delete(kind, name)
    for kind, name in both:
        tenants[0].wait_gone(kind, name)
    assert tenants[0].live() == [] and len(tenants[1].live()) == 2
    assert tenants[2].creates() == []
    assert "finalizers" not in tenants[2].find(KIND, "api-key")["metadata"]
    user = f"system:serviceaccount:{NAMESPACE}:{bounded_account}"
    refused = [
        (event["verb"], event["requestURI"])
        for event in control_plane.audit(since=mark, user=user)
        if event["responseStatus"]["code"] == 403
    ]
    assert refused == []
