"""Workloads on the fake nodes, by default shaped like those of the chart deepgram-self-hosted."""

from polling import wait_for

PROXY = "deepgram-license-proxy"
ENGINE = "deepgram-engine"
API = "deepgram-api"
CHART = {PROXY: 1, ENGINE: 3, API: 2}  # in the order in which they have to be restarted

PLURALS = {"Deployment": "deployments", "StatefulSet": "statefulsets", "DaemonSet": "daemonsets"}
DRAIN = "1s"  # of the 1800 s that the chart's pods are given to drain
GPU = "nvidia.com/gpu"
KWOK = "kwok.deepgram.com/"


def image(app):
    return f"quay.io/deepgram/self-hosted-{app.removeprefix('deepgram-')}:release-260731"


def pod_spec(app, secret, pull_secret=None, **more):
    """A pod that loads all of the Secret as its environment. `more` are fields of the pod's spec."""
    container = {"name": app, "image": image(app)}
    if secret:
        container["envFrom"] = [{"secretRef": {"name": secret}}]
    return {
        "containers": [container],
        "terminationGracePeriodSeconds": 1800,
        **({"imagePullSecrets": [{"name": pull_secret}]} if pull_secret else {}),
        **more,
    }


def template(app, spec, labels=(), annotations=()):
    return {
        "metadata": {
            "labels": {"app": app, **dict(labels)},
            "annotations": {f"{KWOK}drain-delay": DRAIN, **dict(annotations)},
        },
        "spec": spec,
    }


def deployment(app, spec, replicas=1, labels=(), annotations=(), **more):
    """`more` are fields of the Deployment's spec."""
    return {
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": app, "labels": {"app": app}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": app}},
            "strategy": {"type": "RollingUpdate",
                         "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": template(app, spec, labels, annotations),
            **more,
        },
    }


def stateful_set(app, spec, replicas=1, labels=(), annotations=(), **more):
    return {
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"name": app, "labels": {"app": app}},
        "spec": {
            "replicas": replicas, "serviceName": app,
            "selector": {"matchLabels": {"app": app}},
            "template": template(app, spec, labels, annotations),
            **more,
        },
    }


def daemon_set(app, spec, labels=(), annotations=(), **more):
    return {
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {"name": app, "labels": {"app": app}},
        "spec": {
            "selector": {"matchLabels": {"app": app}},
            "template": template(app, spec, labels, annotations),
            **more,
        },
    }


class Workloads:
    """Those of one namespace."""

    def __init__(self, client, namespace):
        self.client = client
        self.namespace = namespace
        self.made = []  # (kind, name), in the order of their making

    def path(self, kind, name=""):
        return f"/apis/apps/v1/namespaces/{self.namespace}/{PLURALS[kind]}/{name}".rstrip("/")

    def create(self, body):
        self.client.post(self.path(body["kind"]), body)
        self.made.append((body["kind"], body["metadata"]["name"]))

    def create_chart(self, secret, pull_secret=None, engine=(), annotations=(), everywhere=(),
                     gpus=0):
        """`engine` are fields of the Engine's pod spec, `annotations` those of its pods, `gpus`
        what each of them needs; `everywhere` are annotations of all pods."""
        for app, replicas in CHART.items():
            is_engine = app == ENGINE
            spec = pod_spec(app, secret, pull_secret, **(dict(engine) if is_engine else {}))
            if is_engine and gpus:
                spec["containers"][0]["resources"] = {"limits": {GPU: str(gpus)}}
            self.create(deployment(app, spec, replicas,
                                   annotations={**dict(everywhere),
                                                **(dict(annotations) if is_engine else {})}))

    def get(self, name, kind="Deployment"):
        return self.client.get(self.path(kind, name))

    def patch(self, name, patch, kind="Deployment", **how):
        return self.client.patch(self.path(kind, name), patch, **how)

    def wait_rolled_out(self, timeout=60):
        """Until every workload runs what its template says, and nothing else any more."""
        wait_for(self.rolled_out, timeout, "the workloads are rolled out")

    def rolled_out(self):
        for kind, name in self.made:
            assert settled(self.get(name, kind)), f"{kind} {name} is not rolled out"
        return True

    def revision(self, name):
        """How many pod templates the Deployment has had."""
        annotations = self.get(name)["metadata"]["annotations"]
        return int(annotations["deployment.kubernetes.io/revision"])

    def pods(self, app=None):
        query = {"labelSelector": f"app={app}"} if app else {}
        return self.client.get(f"/api/v1/namespaces/{self.namespace}/pods", **query)["items"]


def settled(workload):
    spec, status = workload["spec"], workload.get("status", {})
    if status.get("observedGeneration", 0) < workload["metadata"]["generation"]:
        return False
    if workload["kind"] == "DaemonSet":
        wanted = status["desiredNumberScheduled"]
        return wanted > 0 and wanted == status.get("updatedNumberScheduled") == status.get(
            "numberAvailable")
    wanted = spec["replicas"]
    return all(status.get(count, 0) == wanted
               for count in ("replicas", "updatedReplicas", "readyReplicas"))
