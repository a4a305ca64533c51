"""What the API server makes of manifests/: the samples, and the operator's rights.

install.yaml and the rest of what the chart renders to is tested in tests/helm."""

import pytest
import yaml

import operator_process
from controlplane import REPOSITORY

MANIFESTS = REPOSITORY / "manifests"
SAMPLES = MANIFESTS / "samples"
STRICT_DRY_RUN = ("apply", "--dry-run=server", "--validate=strict", "--warnings-as-errors")


def documents(path):
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


class TestSamples:
    def test_apply_without_warnings(self, control_plane):
        namespace = SAMPLES / "00-namespace.yaml"  # a dry run of the others needs it
        control_plane.apply(namespace)
        try:
            for directory in (SAMPLES, SAMPLES / "adoption", SAMPLES / "rotating"):
                done = control_plane.kubectl(*STRICT_DRY_RUN, "-f", directory)
                assert done.stderr == ""
        finally:
            control_plane.kubectl("delete", "--wait=false", "-f", namespace)

    def test_admin_secret_has_a_file_of_its_own(self):
        kinds = {path.name: [document["kind"] for document in documents(path)]
                 for path in SAMPLES.glob("*.yaml")}
        assert kinds.pop("10-admin-secret.yaml") == ["Secret"]
        assert not [name for name, found in kinds.items() if "Secret" in found]


class TestRbac:
    USER = operator_process.USER
    OWN = operator_process.NAMESPACE
    LEASES = "coordination.k8s.io/leases"

    @pytest.mark.parametrize("is_allowed, verbs, resource, namespace, name", [
        (True, "get list watch patch", "deepgram.com/deepgramapikeys", "", ""),
        (True, "get list watch patch", "deepgram.com/deepgrampullsecrets", "", ""),
        (False, "create update delete deletecollection", "deepgram.com/deepgramapikeys", "", ""),
        (True, "patch", "deepgram.com/deepgramapikeys/status", "", ""),
        (True, "patch", "deepgram.com/deepgrampullsecrets/status", "", ""),
        (True, "update", "deepgram.com/deepgramapikeys/finalizers", "", ""),
        (True, "update", "deepgram.com/deepgrampullsecrets/finalizers", "", ""),
        (True, "get list watch create update patch delete", "/secrets", "", ""),
        (False, "deletecollection", "/secrets", "", ""),
        (True, "list watch", "/pods", "", ""),
        (False, "create update patch delete", "/pods", "", ""),
        (False, "create", "/pods/exec", "", ""),
        (True, "get list watch patch", "/serviceaccounts", "", ""),
        (False, "create update delete deletecollection", "/serviceaccounts", "", ""),
        (True, "get list watch", "/namespaces", "", ""),
        (False, "create update patch delete", "/namespaces", "", ""),
        (True, "create", "events.k8s.io/events", "", ""),
        (False, "get list update patch delete", "events.k8s.io/events", "", ""),
        (True, "create", LEASES, OWN, ""),
        (True, "get update", LEASES, OWN, "deepgram-operator"),
        (False, "get update", LEASES, OWN, "other"),
        (False, "get create update", LEASES, "default", "deepgram-operator"),
        (False, "get update bind escalate", "rbac.authorization.k8s.io/clusterroles", "", ""),
        (False, "create", "/serviceaccounts/token", OWN, ""),
    ])
    def test_rights(self, control_plane, is_allowed, verbs, resource, namespace, name):
        group, kind, *subresource = resource.split("/")
        for verb in verbs.split():
            attributes = {"verb": verb, "group": group, "resource": kind, "namespace": namespace,
                          "subresource": "".join(subresource), "name": name}
            review = control_plane.client.post(
                "/apis/authorization.k8s.io/v1/subjectaccessreviews",
                {"spec": {"user": self.USER, "resourceAttributes": attributes}})
            assert review["status"]["allowed"] == is_allowed, f"{verb} {resource}"
