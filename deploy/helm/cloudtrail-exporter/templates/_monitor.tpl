{{/* What ServiceMonitor and PodMonitor have in common. Takes context and monitor, its values. */}}
{{- define "cloudtrail-exporter.endpoint" -}}
{{- $monitor := .monitor }}
- port: http
  path: {{ .context.Values.telemetryPath }}
  scheme: {{ include "cloudtrail-exporter.scheme" .context }}
  interval: {{ $monitor.interval }}
  scrapeTimeout: {{ $monitor.scrapeTimeout }}
  {{- with $monitor.tlsConfig }}
  tlsConfig:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $monitor.basicAuth }}
  basicAuth:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  relabelings:
    - targetLabel: job
      replacement: {{ include "cloudtrail-exporter.jobName" .context }}
    {{- with $monitor.relabelings }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with $monitor.metricRelabelings }}
  metricRelabelings:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{- define "cloudtrail-exporter.monitorTargets" -}}
namespaceSelector:
  matchNames:
    - {{ include "cloudtrail-exporter.namespace" .context }}
selector:
  matchLabels:
    {{- include "cloudtrail-exporter.selectorLabels" .context | nindent 4 }}
{{- with .monitor.sampleLimit }}
sampleLimit: {{ int64 . }}
{{- end }}
{{- end }}
