{{/* The configuration, the web configuration, and where they are mounted. */}}

{{/* The configuration as YAML; empty if the values have none. */}}
{{- define "cloudtrail-exporter.config" -}}
{{- $config := deepCopy .Values.config }}
{{- if and $config .Values.externalId.existingSecret }}
{{- $defaults := deepCopy (default dict $config.defaults) }}
{{- if not (or $defaults.external_id $defaults.external_id_file $defaults.external_id_env) }}
{{- $_ := set $defaults "external_id_file" .Values.externalId.key }}
{{- $_ := set $config "defaults" $defaults }}
{{- end }}
{{- end }}
{{- if $config }}
{{- toYaml $config }}
{{- end }}
{{- end }}

{{/* The name of the object with the configuration; empty if there is none. */}}
{{- define "cloudtrail-exporter.configObject" -}}
{{- $existing := .Values.existingConfig }}
{{- if or $existing.configMap $existing.secret }}
{{- default $existing.configMap $existing.secret }}
{{- else if .Values.config }}
{{- include "cloudtrail-exporter.fullname" . }}
{{- end }}
{{- end }}

{{/* "yes" if the chart makes that object. */}}
{{- define "cloudtrail-exporter.ownConfig" -}}
{{- $existing := .Values.existingConfig }}
{{- if and .Values.config (not (or $existing.configMap $existing.secret)) }}yes{{ end }}
{{- end }}

{{- define "cloudtrail-exporter.configKind" -}}
{{- $own := include "cloudtrail-exporter.ownConfig" . }}
{{- if or .Values.existingConfig.secret (and $own .Values.configAsSecret) -}}
Secret
{{- else -}}
ConfigMap
{{- end }}
{{- end }}

{{- define "cloudtrail-exporter.webConfigSecret" -}}
{{- if .Values.existingWebConfig.secret }}
{{- .Values.existingWebConfig.secret }}
{{- else if .Values.webConfig }}
{{- include "cloudtrail-exporter.fullname" . }}-web
{{- end }}
{{- end }}

{{- define "cloudtrail-exporter.scheme" -}}
{{- $tls := or .Values.webConfig.tls_server_config .Values.existingWebConfig.tls }}
{{- if $tls }}https{{ else }}http{{ end }}
{{- end }}

{{/* Volumes: a directory each for the configuration and the web configuration, with the secrets
they name beside them. Directories, not single files, so that a change reaches the pod. */}}
{{- define "cloudtrail-exporter.volumes" -}}
{{- with include "cloudtrail-exporter.configObject" . }}
- name: config
  projected:
    defaultMode: 0440
    sources:
      {{- if eq (include "cloudtrail-exporter.configKind" $) "Secret" }}
      - secret:
      {{- else }}
      - configMap:
      {{- end }}
          name: {{ . }}
          items:
            - key: {{ $.Values.existingConfig.key }}
              path: config.yaml
      {{- with $.Values.externalId.existingSecret }}
      - secret:
          name: {{ . }}
          items:
            - key: {{ $.Values.externalId.key }}
              path: {{ $.Values.externalId.key }}
      {{- end }}
{{- end }}
{{- with include "cloudtrail-exporter.webConfigSecret" . }}
- name: web-config
  projected:
    defaultMode: 0440
    sources:
      - secret:
          name: {{ . }}
          items:
            - key: {{ $.Values.existingWebConfig.key }}
              path: web.yaml
      {{- with $.Values.tlsSecret }}
      - secret:
          name: {{ . }}
      {{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "cloudtrail-exporter.volumeMounts" -}}
{{- if include "cloudtrail-exporter.configObject" . }}
- name: config
  mountPath: /etc/cloudtrail-exporter
  readOnly: true
{{- end }}
{{- if include "cloudtrail-exporter.webConfigSecret" . }}
- name: web-config
  mountPath: /etc/cloudtrail-exporter-web
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}
