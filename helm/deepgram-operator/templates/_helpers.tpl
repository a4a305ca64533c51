{{- define "deepgram-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /* Short enough for the suffixes that some objects add to it. */}}
{{- define "deepgram-operator.fullname" -}}
{{- $name := include "deepgram-operator.name" . }}
{{- $both := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) }}
{{- default $both .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- define "deepgram-operator.serviceAccountName" -}}
{{- $made := .Values.serviceAccount.create | ternary (include "deepgram-operator.fullname" .) "default" }}
{{- default $made .Values.serviceAccount.name }}
{{- end }}

{{- define "deepgram-operator.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- define "deepgram-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "deepgram-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "deepgram-operator.labels" -}}
{{ include "deepgram-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* Another name than the operator's: neither its Service nor its PodDisruptionBudget is meant. */}}
{{- define "deepgram-operator.testLabels" -}}
app.kubernetes.io/name: {{ include "deepgram-operator.name" . }}-test
{{ omit (fromYaml (include "deepgram-operator.labels" .)) "app.kubernetes.io/name" | toYaml }}
{{- end }}

{{- define "deepgram-operator.metadata" -}}
metadata:
  name: {{ include "deepgram-operator.fullname" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "deepgram-operator.labels" . | nindent 4 }}
{{- end }}

{{- define "deepgram-operator.defaultCredentialsNamespace" -}}
{{- default .Release.Namespace .Values.defaultCredentials.namespace }}
{{- end }}

{{- define "deepgram-operator.caDirectory" -}}
/etc/deepgram-operator/ca
{{- end }}

{{- define "deepgram-operator.args" -}}
- --listen=:{{ .Values.port }}
- --log-format={{ .Values.log.format }}
- --log-level={{ .Values.log.level }}
- --deepgram-url={{ .Values.deepgram.url }}
- --registry-url={{ .Values.registry.url }}
{{- if .Values.deepgram.allowPlainHttp }}
- --allow-plain-http
{{- end }}
{{- if or .Values.ca.configMapName .Values.ca.secretName }}
- --ca-file={{ include "deepgram-operator.caDirectory" . }}/ca.crt
{{- end }}
- --max-in-flight={{ .Values.deepgram.maxInFlight }}
- --inventory-interval={{ .Values.deepgram.inventoryInterval }}
- --settle={{ .Values.deepgram.settle }}
- --watch-timeout={{ .Values.watchTimeout }}
- --leader-elect={{ .Values.leaderElection.enabled }}
- --lease-duration={{ .Values.leaderElection.leaseDuration }}
- --lease-renew={{ .Values.leaderElection.renewDeadline }}
- --lease-retry={{ .Values.leaderElection.retryPeriod }}
{{- with .Values.watchNamespaces }}
- --namespaces={{ join "," . }}
{{- end }}
{{- with .Values.defaultCredentials }}
{{- if .secretName }}
- --default-credentials={{ include "deepgram-operator.defaultCredentialsNamespace" $ }}/{{ .secretName }}
- --max-role={{ .maxRole }}
{{- with .allowedNamespaces }}
- --default-credentials-namespaces={{ join "," . }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
