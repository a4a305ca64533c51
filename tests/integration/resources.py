"""The custom resources and their Secrets as tests see them: make, read, wait."""

import base64
import json
import tomllib

from polling import wait_for

GROUP = "/apis/deepgram.com/v1alpha1"
PLURALS = {"DeepgramApiKey": "deepgramapikeys", "DeepgramPullSecret": "deepgrampullsecrets"}
ADMIN_SECRET = "deepgram-admin"
IN_USE = "deepgram.com/in-use"


class Tenant:
    """A namespace with its project at the emulator and the admin Secret for it."""

    def __init__(self, plane, emulator, namespace, project=None):
        self.client = plane.client
        self.plane = plane
        self.emulator = emulator
        self.namespace = namespace
        seeded = project or emulator.add_project()
        self.project_id = seeded["project_id"]
        self.admin_key = seeded["admin_keys"][0]["key"]
        self.admin_key_id = seeded["admin_keys"][0]["api_key_id"]

    # ---- Secrets ----

    def secret_path(self, name=""):
        return f"/api/v1/namespaces/{self.namespace}/secrets/{name}".rstrip("/")

    def put_admin_secret(self, value=None, entry="DEEPGRAM_API_KEY", name=ADMIN_SECRET):
        """Makes the admin Secret, or replaces its data."""
        value = self.admin_key if value is None else value
        data = {entry: base64.b64encode(value.encode()).decode()}
        if self.client.find(self.secret_path(name)):
            patch = [{"op": "replace", "path": "/data", "value": data}]
            return self.client.patch(self.secret_path(name), patch, type="json")
        return self.client.post(
            self.secret_path(), {"metadata": {"name": name}, "data": data}
        )

    def secret(self, name):
        return self.client.find(self.secret_path(name))

    def secrets(self):
        return self.client.get(self.secret_path())["items"]

    def data(self, name):
        """The decoded entries of a Secret."""
        data = self.client.get(self.secret_path(name)).get("data", {})
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    # ---- ServiceAccounts ----

    def account_path(self, name=""):
        return f"/api/v1/namespaces/{self.namespace}/serviceaccounts/{name}".rstrip("/")

    def account(self, name, entries=()):
        """Makes one with these imagePullSecrets."""
        body = {"metadata": {"name": name}, "imagePullSecrets": list(entries)}
        return self.client.post(self.account_path(), body)

    def entries(self, name):
        """Its imagePullSecrets."""
        return self.client.get(self.account_path(name)).get("imagePullSecrets", [])

    # ---- events ----

    def all_events(self):
        """Of this namespace, whoever wrote them."""
        path = f"/apis/events.k8s.io/v1/namespaces/{self.namespace}/events"
        return self.client.get(path)["items"]

    # ---- resources ----

    def path(self, kind, name="", subresource=""):
        path = f"{GROUP}/namespaces/{self.namespace}/{PLURALS[kind]}/{name}/{subresource}"
        return path.rstrip("/")

    def body(self, kind, name, annotations=None, **spec):
        return {
            "apiVersion": "deepgram.com/v1alpha1",
            "kind": kind,
            "metadata": {"name": name, "annotations": annotations or {}},
            "spec": {
                "projectId": self.project_id,
                "credentialsRef": {"name": ADMIN_SECRET},
                **spec,
            },
        }

    def create(self, kind, name, annotations=None, **spec):
        body = self.body(kind, name, annotations, **spec)
        body["spec"] = {key: value for key, value in body["spec"].items() if value is not None}
        return self.client.post(self.path(kind), body)

    def api_key(self, name="api-key", **spec):
        return self.create("DeepgramApiKey", name, **spec)

    def pull_secret(self, name="regcred", **spec):
        return self.create("DeepgramPullSecret", name, **spec)

    def find(self, kind, name):
        return self.client.find(self.path(kind, name))

    def patch(self, kind, name, patch):
        return self.client.patch(self.path(kind, name), patch)

    def delete(self, kind, name, propagation="Background"):
        self.client.delete(self.path(kind, name), propagationPolicy=propagation)

    # ---- waiting ----

    def wait_ready(self, kind, name, timeout=20):
        """The resource once it is Ready and has observed its newest generation."""
        def ready():
            found = self.client.get(self.path(kind, name))
            assert condition(found, "Ready")["status"] == "True", condition(found, "Ready")
            assert found["status"].get("observedGeneration") == found["metadata"]["generation"]
            return found

        return wait_for(ready, timeout, f"{kind} {name} is Ready", interval=0.05)

    def wait_condition(self, kind, name, type, status, reason=None, timeout=20):
        """The condition once it has that status and reason."""
        def there():
            found = condition(self.client.get(self.path(kind, name)), type)
            assert found, f"no condition {type}"
            assert found["status"] == status, found
            assert reason is None or found["reason"] == reason, found
            return found

        return wait_for(there, timeout, f"{kind} {name} has {type}={status} {reason or ''}",
                        interval=0.05)

    def wait_gone(self, kind, name, timeout=30):
        wait_for(lambda: self.find(kind, name) is None, timeout, f"{kind} {name} is gone")

    # ---- Deepgram's side ----

    def live(self):
        """Ids of the project's live credentials, without the seeded admin keys."""
        state = self.emulator.state(project_id=self.project_id, alive=True)
        return [k["api_key_id"] for k in state["keys"] if not k["admin"]] + [
            c["distribution_credentials_id"] for c in state["distribution_credentials"]
        ]

    def credential(self, id):
        """What the emulator knows of a credential, of either kind."""
        state = self.emulator.state(project_id=self.project_id)
        for entry in state["keys"]:
            if entry["api_key_id"] == id:
                return entry
        for entry in state["distribution_credentials"]:
            if entry["distribution_credentials_id"] == id:
                return entry
        raise AssertionError(f"Deepgram never knew {id}")

    def creates(self):
        """The creates that reached Deepgram for this project."""
        return [
            request
            for operation in ("create_key", "create_credentials")
            for request in self.emulator.requests(
                operation=operation, project_id=self.project_id)
        ]


def condition(resource, type):
    for entry in resource.get("status", {}).get("conditions", []):
        if entry["type"] == type:
            return entry
    return None


def docker_login(config_json, registry="quay.io"):
    """(username, password) of a .dockerconfigjson, which must be consistent in itself."""
    auth = json.loads(config_json)["auths"][registry]
    assert base64.b64decode(auth["auth"]).decode() == f"{auth['username']}:{auth['password']}"
    return auth["username"], auth["password"]


def toml_license_key(text):
    return tomllib.loads(text)["license"]["key"]
