{{- /* What the operator's pods and that of `helm test` have in common: how they reach the API server and
       Deepgram. */}}
{{- define "deepgram-operator.env" -}}
{{- with .Values.proxy }}
{{- if .url }}
env:
  - name: HTTPS_PROXY
    value: {{ .url | quote }}
  - name: NO_PROXY
    value: {{ prepend (compact (list .noProxy)) "$(KUBERNETES_SERVICE_HOST)" | join "," | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "deepgram-operator.dns" -}}
{{- with .Values.dnsPolicy }}
dnsPolicy: {{ . }}
{{- end }}
{{- with .Values.dnsConfig }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "deepgram-operator.volumeMounts" -}}
volumeMounts:
  - name: api-access
    mountPath: /var/run/secrets/kubernetes.io/serviceaccount
    readOnly: true
  {{- if or .Values.ca.configMapName .Values.ca.secretName }}
  - name: ca
    mountPath: {{ include "deepgram-operator.caDirectory" . }}
    readOnly: true
  {{- end }}
{{- end }}

{{- define "deepgram-operator.volumes" -}}
volumes:
  # What automounting would give, for this container only and with a short-lived token.
  - name: api-access
    projected:
      sources:
        - serviceAccountToken:
            path: token
            expirationSeconds: 3600
        - configMap:
            name: kube-root-ca.crt
            items:
              - key: ca.crt
                path: ca.crt
        - downwardAPI:
            items:
              - path: namespace
                fieldRef:
                  fieldPath: metadata.namespace
  {{- with .Values.ca }}
  {{- if .configMapName }}
  - name: ca
    configMap:
      name: {{ .configMapName }}
      items:
        - key: {{ .key }}
          path: ca.crt
  {{- else if .secretName }}
  - name: ca
    secret:
      secretName: {{ .secretName }}
      items:
        - key: {{ .key }}
          path: ca.crt
  {{- end }}
  {{- end }}
{{- end }}

{{- /* The spec of a Pod that runs one mode of the program once, where and as the operator runs: called with
       (list . MODE). */}}
{{- define "deepgram-operator.onceSpec" -}}
{{- $mode := last . }}
{{- with first . -}}
spec:
  serviceAccountName: {{ include "deepgram-operator.serviceAccountName" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  restartPolicy: Never
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with include "deepgram-operator.dns" . }}
  {{- . | nindent 2 }}
  {{- end }}
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  containers:
    - name: {{ $mode }}
      image: {{ include "deepgram-operator.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        - {{ $mode }}
        {{- include "deepgram-operator.args" . | nindent 8 }}
      {{- with include "deepgram-operator.env" . }}
      {{- . | nindent 6 }}
      {{- end }}
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      securityContext:
        {{- toYaml .Values.securityContext | nindent 8 }}
      {{- include "deepgram-operator.volumeMounts" . | nindent 6 }}
  {{- include "deepgram-operator.volumes" . | nindent 2 }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}
