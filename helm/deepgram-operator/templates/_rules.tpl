{{- /* What the operator may do to the resources of a namespace that it works on: the one source of
       the ClusterRole, of the Roles in watchNamespaces and of manifests/. */}}
{{- define "deepgram-operator.rules" -}}
- apiGroups: [deepgram.com]
  resources: [deepgramapikeys, deepgrampullsecrets]
  verbs: [get, list, watch, patch]
- apiGroups: [deepgram.com]
  resources: [deepgramapikeys/status, deepgrampullsecrets/status]
  verbs: [patch]
# Secrets are owned with blockOwnerDeletion. Where the admission plugin
# OwnerReferencesPermissionEnforcement is on, that takes the right to hold the owner back.
- apiGroups: [deepgram.com]
  resources: [deepgramapikeys/finalizers, deepgrampullsecrets/finalizers]
  verbs: [update]
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch, create, update, patch, delete]
# A credential is only revoked once no pod needs it any more.
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
# spec.serviceAccounts of a DeepgramPullSecret: their imagePullSecrets. Without this the rest works.
- apiGroups: [""]
  resources: [serviceaccounts]
  verbs: [get, list, watch, patch]
# With deletionPolicy Retain a Secret has its namespace as an owner too, by UID: the garbage
# collector leaves it, however the resource is deleted. (In a Role: the namespace of that Role.)
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get]
# Workloads whose pods hold a replaced key are restarted, by an annotation of their pod template.
- apiGroups: [apps]
  resources: [deployments, statefulsets, daemonsets]
  verbs: [get, list, watch, patch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end }}

{{- /* What can only be had for the whole cluster; --namespaces does without. */}}
{{- define "deepgram-operator.clusterRules" -}}
# Nothing new is created in a namespace that is going.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [list, watch]
{{- end }}

{{- define "deepgram-operator.subject" -}}
subjects:
  - kind: ServiceAccount
    name: {{ include "deepgram-operator.serviceAccountName" . }}
    namespace: {{ .Release.Namespace }}
{{- end }}
