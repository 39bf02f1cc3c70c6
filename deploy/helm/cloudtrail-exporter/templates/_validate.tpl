{{/* Values that contradict each other. The schema checks each value by itself. */}}
{{- define "cloudtrail-exporter.validate" -}}
{{- $existing := .Values.existingConfig }}
{{- if and .Values.config (or $existing.configMap $existing.secret) }}
{{- fail "config and existingConfig are both set: set one of them" }}
{{- end }}
{{- if and $existing.configMap $existing.secret }}
{{- fail "existingConfig.configMap and existingConfig.secret are both set: set one of them" }}
{{- end }}
{{- if and .Values.demo (include "cloudtrail-exporter.configObject" .) }}
{{- fail "demo has a configuration of its own: set demo without config and existingConfig" }}
{{- end }}
{{- if and .Values.demo .Values.sharding.enabled }}
{{- fail "the demo is not divided into shards: set demo or sharding.enabled" }}
{{- end }}
{{- if and .Values.sharding.enabled (not (include "cloudtrail-exporter.configObject" .)) }}
{{- fail "sharding needs accounts: set config or existingConfig, or sharding.enabled=false" }}
{{- end }}
{{- if and .Values.webConfig .Values.existingWebConfig.secret }}
{{- fail "webConfig and existingWebConfig.secret are both set: set one of them" }}
{{- end }}
{{- if and .Values.tlsSecret (not (include "cloudtrail-exporter.webConfigSecret" .)) }}
{{- fail "tlsSecret needs webConfig or existingWebConfig.secret, which names its files" }}
{{- end }}
{{- if and .Values.externalId.existingSecret (not (include "cloudtrail-exporter.configObject" .)) }}
{{- fail "externalId needs config or existingConfig, whose roles ask for it" }}
{{- end }}
{{- if and .Values.serviceMonitor.enabled .Values.podMonitor.enabled }}
{{- fail "serviceMonitor and podMonitor are both enabled: every pod would be scraped twice" }}
{{- end }}
{{- if and (not .Values.configAsSecret) (include "cloudtrail-exporter.hasExternalId" .) }}
{{- fail "a ConfigMap does not protect external_id: use externalId or configAsSecret=true" }}
{{- end }}
{{- end }}

{{- define "cloudtrail-exporter.hasExternalId" -}}
{{- if dig "external_id" "" (default dict .Values.config.defaults) }}yes{{ end }}
{{- $discovery := default dict .Values.config.discovery }}
{{- if dig "external_id" "" (default dict $discovery.organizations) }}yes{{ end }}
{{- range (default list .Values.config.accounts) }}
{{- if .external_id }}yes{{ end }}
{{- end }}
{{- end }}
