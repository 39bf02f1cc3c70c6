{{/* Names and labels. A StatefulSet's revision label is its name and 11 characters, and a label
value has at most 63: so names have at most 52. */}}
{{- define "cloudtrail-exporter.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- define "cloudtrail-exporter.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- $both := printf "%s-%s" .Release.Name $name }}
{{- contains $name .Release.Name | ternary .Release.Name $both | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "cloudtrail-exporter.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{- define "cloudtrail-exporter.serviceAccountName" -}}
{{- $fullname := include "cloudtrail-exporter.fullname" . }}
{{- $unnamed := .Values.serviceAccount.create | ternary $fullname "default" }}
{{- default $unnamed .Values.serviceAccount.name }}
{{- end }}

{{- define "cloudtrail-exporter.jobName" -}}
{{- default (include "cloudtrail-exporter.fullname" .) .Values.jobName }}
{{- end }}

{{- define "cloudtrail-exporter.selectorLabels" -}}
app.kubernetes.io/name: {{ include "cloudtrail-exporter.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "cloudtrail-exporter.ownLabels" -}}
{{- $chart := printf "%s-%s" .Chart.Name .Chart.Version }}
helm.sh/chart: {{ $chart | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: metrics
app.kubernetes.io/part-of: {{ include "cloudtrail-exporter.name" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* Labels of an object: the chart's, those of every object, and its own. The later ones win, but
what selectors read stays. Takes context and labels. */}}
{{- define "cloudtrail-exporter.labels" -}}
{{- $own := include "cloudtrail-exporter.ownLabels" .context | fromYaml }}
{{- $selected := include "cloudtrail-exporter.selectorLabels" .context | fromYaml }}
{{- mergeOverwrite $own .context.Values.commonLabels (default dict .labels) $selected | toYaml }}
{{- end }}

{{/* Metadata of an object. Takes the context, what follows the full name in its name, and values
that may have namespace, labels and annotations. */}}
{{- define "cloudtrail-exporter.metadata" -}}
{{- $context := index . 0 }}
{{- $values := index . 2 }}
{{- $labels := dict "context" $context "labels" $values.labels }}
metadata:
  name: {{ include "cloudtrail-exporter.fullname" $context }}{{ index . 1 }}
  namespace: {{ default (include "cloudtrail-exporter.namespace" $context) $values.namespace }}
  labels:
    {{- include "cloudtrail-exporter.labels" $labels | nindent 4 }}
  {{- with $values.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{- define "cloudtrail-exporter.image" -}}
{{- $image := .Values.image }}
{{- $name := $image.repository }}
{{- if $image.registry }}{{ $name = printf "%s/%s" $image.registry $image.repository }}{{ end }}
{{- if $image.digest }}
{{- printf "%s@%s" $name $image.digest }}
{{- else }}
{{- printf "%s:%s" $name (default .Chart.AppVersion $image.tag) }}
{{- end }}
{{- end }}
