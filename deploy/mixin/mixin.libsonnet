// Monitoring mixin of cloudtrail-exporter: the shipped rules and dashboards, for those who build their monitoring with jsonnet.
//
//   local cloudtrail = (import 'cloudtrail-exporter/deploy/mixin/mixin.libsonnet') + { _config+:: { jobName: 'audit/cloudtrail' } };
//
// Nothing is written twice: rules and dashboards are read from deploy/prometheus and dashboards.
{
  _config+:: {
    // The name of the scrape job. It stands only in CloudTrailExporterDown: where nothing is left, no label says whose absence it is.
    jobName: 'cloudtrail-exporter',
  },

  local named(text) = std.strReplace(text, 'job="cloudtrail-exporter"', 'job="%s"' % $._config.jobName),

  prometheusAlerts+:: std.parseYaml(named(importstr '../prometheus/alerts.rules.yaml')),
  local recording = std.parseYaml(importstr '../prometheus/recording.rules.yaml'),
  local behindDashboards = std.parseYaml(importstr '../prometheus/dashboards.rules.yaml'),
  prometheusRules+:: { groups: recording.groups + behindDashboards.groups },
  grafanaDashboards+:: {
    'fleet.json': import '../../dashboards/fleet.json',
    'account.json': import '../../dashboards/account.json',
    'exporter.json': import '../../dashboards/exporter.json',
  },
}
