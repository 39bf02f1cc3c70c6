{{/* The pod of the Deployment and of the StatefulSet. */}}

{{- define "cloudtrail-exporter.args" -}}
{{- if .Values.demo }}
- demo
{{- end }}
{{- if include "cloudtrail-exporter.configObject" . }}
- --config.file=/etc/cloudtrail-exporter/config.yaml
- --config.auto-reload-interval={{ .Values.configReloadInterval }}
{{- end }}
- --web.listen-address=:{{ .Values.containerPort }}
- --web.telemetry-path={{ .Values.telemetryPath }}
{{- if include "cloudtrail-exporter.webConfigSecret" . }}
- --web.config.file=/etc/cloudtrail-exporter-web/web.yaml
{{- end }}
- --log.level={{ .Values.log.level }}
- --log.format={{ .Values.log.format }}
{{- if .Values.sharding.enabled }}
- --total-shards={{ int .Values.sharding.shards }}
- --shard-from-hostname
{{- end }}
{{- with .Values.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* A probe of a path. With a web configuration the kubelet may have no password and no
certificate: then the exporter's own client asks, to which a demand for them is a sign of life. */}}
{{- define "cloudtrail-exporter.probe" -}}
{{- $values := .context.Values }}
{{- if include "cloudtrail-exporter.webConfigSecret" .context }}
{{- $scheme := include "cloudtrail-exporter.scheme" .context }}
exec:
  command:
    - cloudtrail-exporter
    - healthcheck
    - {{ printf "%s://127.0.0.1:%v%s" $scheme $values.containerPort .path }}
{{- else }}
httpGet:
  path: {{ .path }}
  port: http
{{- end }}
{{ toYaml .timing }}
{{- end }}

{{- define "cloudtrail-exporter.podAnnotations" -}}
{{- $own := dict "kubectl.kubernetes.io/default-container" "cloudtrail-exporter" }}
{{- if .Values.rollOnConfigChange }}
{{- if include "cloudtrail-exporter.ownConfig" . }}
{{- $_ := set $own "checksum/config" (include "cloudtrail-exporter.config" . | sha256sum) }}
{{- end }}
{{- if and .Values.webConfig (not .Values.existingWebConfig.secret) }}
{{- $_ := set $own "checksum/web-config" (toYaml .Values.webConfig | sha256sum) }}
{{- end }}
{{- end }}
{{- mergeOverwrite $own .Values.podAnnotations | toYaml }}
{{- end }}

{{- define "cloudtrail-exporter.topologySpreadConstraints" -}}
{{- range .Values.topologySpreadConstraints }}
{{- $selector := dict "matchLabels" (include "cloudtrail-exporter.selectorLabels" $ | fromYaml) }}
{{- list (merge (deepCopy .) (dict "labelSelector" $selector)) | toYaml }}
{{ end }}
{{- end }}

{{- define "cloudtrail-exporter.container" -}}
name: cloudtrail-exporter
image: {{ include "cloudtrail-exporter.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args:
  {{- include "cloudtrail-exporter.args" . | trim | nindent 2 }}
{{- with .Values.extraEnv }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
ports:
  - name: http
    containerPort: {{ .Values.containerPort }}
    protocol: TCP
livenessProbe:
  {{- $liveness := dict "context" . "path" "/-/healthy" "timing" .Values.livenessProbe }}
  {{- include "cloudtrail-exporter.probe" $liveness | trim | nindent 2 }}
readinessProbe:
  {{- $readiness := dict "context" . "path" "/-/ready" "timing" .Values.readinessProbe }}
  {{- include "cloudtrail-exporter.probe" $readiness | trim | nindent 2 }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
{{- with include "cloudtrail-exporter.volumeMounts" . | trim }}
volumeMounts:
  {{- . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "cloudtrail-exporter.podTemplate" -}}
metadata:
  labels:
    {{- $labels := dict "context" . "labels" .Values.podLabels }}
    {{- include "cloudtrail-exporter.labels" $labels | nindent 4 }}
  annotations:
    {{- include "cloudtrail-exporter.podAnnotations" . | nindent 4 }}
spec:
  serviceAccountName: {{ include "cloudtrail-exporter.serviceAccountName" . }}
  automountServiceAccountToken: {{ .Values.automountServiceAccountToken }}
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ int .Values.terminationGracePeriodSeconds }}
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.initContainers }}
  initContainers:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - {{ include "cloudtrail-exporter.container" . | nindent 6 | trim }}
    {{- with .Values.extraContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with include "cloudtrail-exporter.volumes" . | trim }}
  volumes:
    {{- . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with include "cloudtrail-exporter.topologySpreadConstraints" . | trim }}
  topologySpreadConstraints:
    {{- . | nindent 4 }}
  {{- end }}
  {{- with .Values.dnsConfig }}
  dnsConfig:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
