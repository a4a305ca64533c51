"""What the API server makes of crds/: validation, defaults, columns, kubectl explain.

Most cases are dry runs: they go through all of admission and store nothing.
"""

import copy
import re

import pytest
import yaml

from api_client import ApiError
from controlplane import REPOSITORY
from crd_cases import (
    ACCEPTED, API_KEYS, BOTH, DURATION_PATTERN, DURATIONS, LONGEST_SUBDOMAIN, PLACEHOLDER, PROJECT,
    PULL_SECRETS, REFUSED, REVISION_NAME, TEMPLATES,
)

CRDS = REPOSITORY / "crds"
KIND = {API_KEYS: "DeepgramApiKey", PULL_SECRETS: "DeepgramPullSecret"}
SHORT_NAME = {API_KEYS: "dgkey", PULL_SECRETS: "dgpull"}
TIME = "2026-07-31T08:15:00Z"


def for_each_kind(rows):
    """The rows as parameters: the plural, then what follows it in the row."""
    return [
        pytest.param(plural, *values, id=f"{SHORT_NAME[plural]}: {name}")
        for name, plurals, *values in rows
        for plural in ([plurals] if isinstance(plurals, str) else plurals)
    ]


def collection(plural, namespace="default"):
    return f"/apis/deepgram.com/v1alpha1/namespaces/{namespace}/{plural}"


def resource(plural, spec, name="a"):
    spec = {"projectId": PROJECT, **spec}
    return {
        "apiVersion": "deepgram.com/v1alpha1",
        "kind": KIND[plural],
        "metadata": {"name": name},
        "spec": {field: value for field, value in spec.items() if value is not None},
    }


def dry_run(control_plane, plural, spec, name="a"):
    """Creates nothing; returns what would have been stored."""
    body = resource(plural, spec, name)
    return control_plane.client.post(
        collection(plural), body, dryRun="All", fieldValidation="Strict")


def complaints(control_plane, plural, spec, name="a"):
    """What the API server refuses, as (field, message)."""
    with pytest.raises(ApiError) as refused:
        dry_run(control_plane, plural, spec, name)
    assert refused.value.status == 422, refused.value
    causes = refused.value.body["details"]["causes"]
    # Where the schema alone refuses it, one more cause says that the rules weren't looked at.
    return [(cause["field"], cause["message"]) for cause in causes if cause["field"] != "<nil>"]


def schema(plural):
    crd = yaml.safe_load((CRDS / f"{plural}.deepgram.com.yaml").read_text())
    return crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


def fields(node, path):
    """Every property, item and map value below a schema, as (path, schema)."""
    for name, child in node.get("properties", {}).items():
        yield f"{path}.{name}", child
        yield from fields(child, f"{path}.{name}")
    for keyword, suffix in (("items", "[]"), ("additionalProperties", "{}")):
        if keyword in node:
            yield path + suffix, node[keyword]
            yield from fields(node[keyword], path + suffix)


class TestValidation:
    @pytest.mark.parametrize("plural, spec", for_each_kind(ACCEPTED))
    def test_accepted(self, control_plane, plural, spec):
        stored = dry_run(control_plane, plural, spec)["spec"]
        assert {**stored, **spec}.keys() == stored.keys()

    @pytest.mark.parametrize("plural, spec, field, message", for_each_kind(REFUSED))
    def test_refused(self, control_plane, plural, spec, field, message):
        (seen_field, seen_message), = complaints(control_plane, plural, spec)
        assert seen_field == field
        assert message in seen_message

    @pytest.mark.parametrize("text, is_duration, is_long_enough", DURATIONS)
    @pytest.mark.parametrize("field, minimum", [
        ("validFor", "at least 10s"),
        ("rotation.every", "at least 10s"),
        ("rotation.before", "positive"),
        ("rotation.overlap", "positive"),
    ])
    def test_duration(self, control_plane, text, is_duration, is_long_enough, field, minimum):
        spec = {"rotation": {field.partition(".")[2]: text}} if "." in field else {field: text}
        if minimum == "positive":
            is_long_enough = any(digit in text for digit in "123456789")
        if is_duration and is_long_enough:
            dry_run(control_plane, API_KEYS, spec)
            return
        (seen_field, message), = complaints(control_plane, API_KEYS, spec)
        assert seen_field == f"spec.{field}"
        assert (f"{field} must be {minimum}" if is_duration else DURATION_PATTERN) in message

    @pytest.mark.parametrize("field", ["validFor", "every", "before", "overlap"])
    def test_empty_duration(self, control_plane, field):
        spec = {field: ""} if field == "validFor" else {"rotation": {field: ""}}
        (seen_field, _), = complaints(control_plane, API_KEYS, spec)
        assert seen_field.endswith(field)

    def test_malformed_durations_are_not_compared(self, control_plane):
        seen = complaints(control_plane, API_KEYS, {"validFor": "1d", "rotation": {"before": "2d"}})
        assert sorted(field for field, _ in seen) == ["spec.rotation.before", "spec.validFor"]

    @pytest.mark.parametrize("template, is_accepted", TEMPLATES)
    def test_template(self, control_plane, template, is_accepted):
        spec = {"secret": {"data": {"api.toml": template}}}
        if is_accepted:
            dry_run(control_plane, API_KEYS, spec)
            return
        (field, message), = complaints(control_plane, API_KEYS, spec)
        assert field == "spec.secret.data[api.toml]"
        assert PLACEHOLDER in message

    @pytest.mark.parametrize("plural", BOTH)
    @pytest.mark.parametrize("unknown", ["restart", "project", "projectID"])
    def test_unknown_field_is_refused(self, control_plane, plural, unknown):
        with pytest.raises(ApiError, match=f'unknown field "spec.{unknown}"'):
            dry_run(control_plane, plural, {unknown: {}})

    @pytest.mark.parametrize("plural", BOTH)
    def test_spec_is_required(self, control_plane, plural):
        body = {**resource(plural, {}), "spec": None}
        with pytest.raises(ApiError, match="spec: Required value"):
            control_plane.client.post(collection(plural), body, dryRun="All")

    @pytest.mark.parametrize("plural", BOTH)
    def test_longest_name_of_a_resource(self, control_plane, plural):
        dry_run(control_plane, plural, {}, name=LONGEST_SUBDOMAIN)
        (field, _), = complaints(control_plane, plural, {}, name=LONGEST_SUBDOMAIN + "n")
        assert field == "metadata.name"

    @pytest.mark.parametrize("plural", BOTH)
    def test_name_of_a_revision_secret_needs_another_target(self, control_plane, plural):
        dry_run(control_plane, plural, {"secret": {"name": "target"}}, name="a-dgkey-r1")
        (field, message), = complaints(control_plane, plural, {}, name="a-dgkey-r1")
        assert field == "spec.secret.name"
        assert REVISION_NAME in message

    @pytest.mark.parametrize("plural", BOTH)
    def test_project_never_changes(self, control_plane, namespace, plural):
        client = control_plane.client
        client.post(collection(plural, namespace), resource(plural, {}))
        path = f"{collection(plural, namespace)}/a"
        client.patch(path, {"spec": {"projectId": PROJECT, "comment": "edited"}})
        with pytest.raises(ApiError, match="projectId can't be changed"):
            client.patch(path, {"spec": {"projectId": PROJECT.replace("3", "4")}})
        with pytest.raises(ApiError, match="spec.projectId: Required value"):
            client.patch(path, {"spec": {"projectId": None}})


class TestDefaults:
    COMMON = {
        "projectId": PROJECT,
        "scopes": ["self-hosted:products"],
        "rotation": {"overlap": "1h"},
        "deletionPolicy": "Revoke",
        "suspend": False,
    }

    API_KEY = {**COMMON, "role": "member", "rollout": {"mode": "Restart", "timeout": "2h"}}

    def test_api_key(self, control_plane):
        assert dry_run(control_plane, API_KEYS, {})["spec"] == self.API_KEY

    def test_pull_secret(self, control_plane):
        stored = dry_run(control_plane, PULL_SECRETS, {})
        assert stored["spec"] == {**self.COMMON, "provider": "quay"}

    @pytest.mark.parametrize("plural", BOTH)
    def test_entry_of_the_credentials(self, control_plane, plural):
        stored = dry_run(control_plane, plural, {"credentialsRef": {"name": "admin"}})
        assert stored["spec"]["credentialsRef"] == {"name": "admin", "key": "DEEPGRAM_API_KEY"}

    @pytest.mark.parametrize("plural", BOTH)
    def test_new_resource_is_not_ready(self, control_plane, plural):
        stored = dry_run(control_plane, plural, {})
        assert stored["status"] == {"conditions": [{
            "type": "Ready",
            "status": "Unknown",
            "reason": "Pending",
            "message": "Waiting for the operator to see this resource.",
            "lastTransitionTime": "1970-01-01T00:00:00Z",
        }]}

    @pytest.mark.parametrize("plural", BOTH)
    def test_status_cannot_be_given_at_creation(self, control_plane, plural):
        body = {**resource(plural, {}), "status": {"id": "mine"}}
        stored = control_plane.client.post(collection(plural), body, dryRun="All")
        assert "id" not in stored["status"]

    def test_server_side_apply_replaces_defaults_and_restores_them(self, control_plane, namespace):
        def applied(spec):
            body = resource(API_KEYS, spec)
            path = f"{collection(API_KEYS, namespace)}/a"
            return control_plane.client.patch(path, body, type="apply", fieldManager="test")["spec"]

        own = {"scopes": ["usage:read"], "role": "none", "secret": {"data": {"key": "${apiKey}"}}}
        default = self.API_KEY
        assert applied({}) == default
        assert applied(own) == {**default, **own}
        assert applied({}) == default


class TestStatus:
    FULL = {
        "observedGeneration": 3,
        "conditions": [
            {"type": kind, "status": "True", "reason": "Issued", "message": "All is well.",
             "lastTransitionTime": TIME, "observedGeneration": 3}
            for kind in ("Ready", "Reconciling", "Stalled")
        ],
        "revision": 7,
        "id": "2c1e0c3a-6c1f-4a53-8f7f-9a4f0f5b8f11",
        "scopes": ["member", "self-hosted:products"],
        "secretName": "target",
        "issuedAt": TIME,
        "publishedAt": TIME,
        "expiresAt": TIME,
        "nextRotationAt": TIME,
        "revisions": [
            {"revision": 7 - index, "id": f"id-{index}", "state": state, "issuedAt": TIME,
             "reason": "Scheduled", "revokeAfter": TIME}
            for index, state in enumerate(["Issued", "Current", "Retiring", "Revoked", "Revoked"])
        ],
        "secretResourceVersion": "1234",
        "lastHandledRotateRequest": "now",
        "failures": 2,
        "nextAttemptAt": TIME,
    }

    @pytest.fixture(params=BOTH)
    def stored(self, control_plane, namespace, request):
        """(write the status of a stored resource and return it, the status to write)"""
        client, plural = control_plane.client, request.param
        client.post(collection(plural, namespace), resource(plural, {}))
        full = copy.deepcopy(self.FULL)
        if plural == PULL_SECRETS:
            full["username"] = "deepgram+2c1e0c3a-6c1f-4a53-8f7f-9a4f0f5b8f11"
            full["serviceAccounts"] = [{"name": "engine", "uid": "u", "secretName": "target"}]

        def write(status):
            path = f"{collection(plural, namespace)}/a/status"
            return client.patch(path, {"status": status}, fieldValidation="Strict")["status"]

        return write, full

    def test_every_field_is_kept(self, stored):
        write, full = stored
        assert write(full) == full

    def test_more_revisions_than_can_live_are_refused(self, stored):
        write, full = stored
        full["revisions"] = [full["revisions"][-1]] * 33
        with pytest.raises(ApiError, match="status.revisions: Too many"):
            write(full)

    def test_unknown_state_of_a_revision_is_refused(self, stored):
        write, full = stored
        full["revisions"][0]["state"] = "Lost"
        with pytest.raises(ApiError, match=r"status.revisions\[0\].state: Unsupported value"):
            write(full)

    def test_unknown_status_of_a_condition_is_refused(self, stored):
        write, full = stored
        full["conditions"][0]["status"] = "Maybe"
        with pytest.raises(ApiError, match=r"status.conditions\[0\].status: Unsupported value"):
            write(full)

    def test_condition_twice_is_refused(self, stored):
        write, full = stored
        full["conditions"].append(full["conditions"][0])
        with pytest.raises(ApiError, match=r"status.conditions\[3\]: Duplicate value"):
            write(full)


class TestKubectl:
    def test_crds_are_established_without_warnings(self, control_plane):
        for plural in BOTH:
            crd = control_plane.client.get(
                f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural}.deepgram.com")
            conditions = {c["type"]: c["status"] for c in crd["status"]["conditions"]}
            assert conditions == {"NamesAccepted": "True", "Established": "True"}
        control_plane.kubectl("apply", "--dry-run=server", "--warnings-as-errors", "-f", CRDS)

    def test_short_names_and_category(self, control_plane, namespace):
        for plural in BOTH:
            control_plane.client.post(collection(plural, namespace), resource(plural, {}))

        def names(what):
            return control_plane.kubectl("get", what, "-n", namespace, "-o", "name").stdout.split()

        assert names("dgkey") == ["deepgramapikey.deepgram.com/a"]
        assert names("dgpull") == ["deepgrampullsecret.deepgram.com/a"]
        assert names("deepgram") == names("dgkey") + names("dgpull")

    @pytest.mark.parametrize("plural", BOTH)
    def test_columns(self, control_plane, namespace, plural):
        client, path = control_plane.client, f"{collection(plural, namespace)}/a"
        client.post(collection(plural, namespace), resource(plural, {}))
        status = {"secretName": "target", "id": "key-1", "expiresAt": "2099-01-01T00:00:00Z",
                  "nextRotationAt": "2098-12-01T00:00:00Z"}
        client.patch(f"{path}/status", {"status": status})
        header, row = control_plane.kubectl("get", plural, "-n", namespace).stdout.splitlines()
        assert header.split() == [
            "NAME", "READY", "REASON", "SECRET", "KEY-ID", "EXPIRES", "NEXT-ROTATION", "AGE"]
        *columns, _age = row.split()
        assert columns == ["a", "Unknown", "Pending", *status.values()]

    @pytest.mark.parametrize("plural", BOTH)
    def test_every_field_is_described(self, plural):
        nodes = {"": schema(plural), **dict(fields(schema(plural), ""))}
        del nodes[".metadata"]  # described by the API server, which allows no other description
        short = [path for path, node in nodes.items() if len(node.get("description", "")) < 20]
        assert short == []
        unfinished = [path for path, node in nodes.items() if not node["description"].endswith(".")]
        assert unfinished == []

    @pytest.mark.parametrize("plural", BOTH)
    def test_explain_shows_the_description(self, control_plane, plural):
        described = dict(fields(schema(plural), ""))[".spec.rotation.overlap"]["description"]
        explained = control_plane.kubectl("explain", f"{SHORT_NAME[plural]}.spec.rotation.overlap")
        assert " ".join(described.split()) in " ".join(explained.stdout.split())


class TestSchema:
    def test_both_kinds_agree_on_what_they_share(self):
        """Apart from words, from scopes (pull secrets take product scopes only), and from what has to
        do with roll-outs."""
        def bare(node):
            if isinstance(node, dict):
                return {name: bare(child) for name, child in node.items()
                        if not (name == "description" and isinstance(child, str))}
            return [bare(child) for child in node] if isinstance(node, list) else node

        api_key, pull_secret = ({path: bare(node) for path, node in fields(schema(plural), "")
                                 if "properties" not in node} for plural in BOTH)
        shared = api_key.keys() & pull_secret.keys()
        assert {path for path in shared if api_key[path] != pull_secret[path]} == {
            ".spec.scopes", ".spec.scopes[]", ".status.revisions"}
        assert {path for path in api_key.keys() - shared
                if not re.search("rollout|consumers|failedAt", path)} == {
            ".spec.role", ".spec.tags", ".spec.tags[]", ".spec.validFor", ".spec.expiresAt",
            ".spec.rotation.before", ".spec.secret.data", ".spec.secret.data{}",
            ".spec.verify.streaming.url", ".spec.verify.streaming.timeout"}
        assert pull_secret.keys() - shared == {
            ".spec.provider", ".spec.verify.repository", ".spec.serviceAccounts",
            ".spec.serviceAccounts[]", ".status.serviceAccounts",
            ".status.serviceAccounts[].name", ".status.serviceAccounts[].uid",
            ".status.serviceAccounts[].secretName", ".status.username"}
