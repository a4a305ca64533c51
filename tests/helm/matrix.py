"""Values under which the chart has to render to something that a cluster takes, each named by what it
is for. `NAMESPACES` have to exist."""

RELEASE_NAMESPACE = "deepgram-operator-system"
NAMESPACES = ("speech", "voice")

MATRIX = {
    "defaults": {},
    "one replica": {"replicaCount": 1, "leaderElection": {"enabled": False},
                    "podDisruptionBudget": {"enabled": False}},
    "some namespaces": {"watchNamespaces": list(NAMESPACES)},
    "own namespace": {"watchNamespaces": [RELEASE_NAMESPACE],
                      "defaultCredentials": {"secretName": "deepgram-admin"}},
    "default credentials": {"defaultCredentials": {
        "secretName": "deepgram-admin", "allowedNamespaces": list(NAMESPACES),
        "maxRole": "admin"}},
    "default credentials from elsewhere": {
        "watchNamespaces": ["voice"],
        "defaultCredentials": {"secretName": "deepgram-admin", "namespace": "speech"}},
    "proxy and private CA": {
        "proxy": {"url": "http://proxy.example.com:3128", "noProxy": "10.0.0.0/8,.svc"},
        "ca": {"configMapName": "company-ca", "key": "bundle.pem"}},
    "CA from a Secret": {"ca": {"secretName": "company-ca"}},
    "network policy": {"networkPolicy": {
        "enabled": True,
        "ingressFrom": [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}],
        "extraEgress": [{"to": [{"ipBlock": {"cidr": "10.1.2.3/32"}}],
                         "ports": [{"port": 3128}]}]}},
    "service monitor": {"metrics": {
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"},
                           "runbookUrl": "https://runbooks.example.com/deepgram"},
        "dashboard": {"enabled": True, "annotations": {"grafana_folder": "Deepgram"}}}},
    "pod monitor": {"metrics": {"podMonitor": {"enabled": True, "interval": "1m"},
                                "service": {"enabled": True, "annotations": {"a": "b"}},
                                "prometheusRule": {"enabled": True}}},
    "everything about pods": {
        "image": {"repository": "registry.example.com/deepgram-operator",
                  "digest": "sha256:" + "0" * 64, "pullPolicy": "Always"},
        "imagePullSecrets": [{"name": "registry"}],
        "commonLabels": {"team": "speech"},
        "deploymentAnnotations": {"example.com/owner": "platform"},
        "revisionHistoryLimit": 0,
        "podAnnotations": {"example.com/note": "yes"},
        "dnsPolicy": "None",
        "dnsConfig": {"nameservers": ["10.0.0.10"], "options": [{"name": "ndots", "value": "2"}]},
        "podLabels": {"tier": "platform"},
        "priorityClassName": "system-cluster-critical",
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "dedicated", "operator": "Exists", "effect": "NoSchedule"}],
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [
                {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}]}]}}},
        "topologySpreadConstraints": [{
            "maxSkew": 1, "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"app.kubernetes.io/name": "deepgram-operator"}}}],
        "serviceAccount": {"annotations": {"example.com/role": "none"}},
        "podDisruptionBudget": {"maxUnavailable": "50%"}},
    "somebody else's ServiceAccount and roles": {
        "serviceAccount": {"create": False, "name": "platform"},
        "rbac": {"create": False, "aggregate": False}, "crds": {"enabled": False}},
    "user ids given by OpenShift": {
        "podSecurityContext": {"runAsUser": None, "runAsGroup": None}},
    "other names": {"nameOverride": "keys", "fullnameOverride": "deepgram-keys",
                    "port": 9090, "crds": {"keep": False}},
}
