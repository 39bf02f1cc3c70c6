"""The frame of a dashboard in Grafana's JSON: variables, annotations, links, and panels laid out in rows on 24 columns."""

from . import words

SCHEMA_VERSION = 41  # Grafana 12; 11 reads it too
PLUGIN_VERSION = "12.0.0"
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
TAGS = ["cloudtrail-exporter", "cloudtrail", "fedramp"]
WIDTH = 24
KEEP = "${datasource:queryparam}&${job:queryparam}&${__url_time_range}"


# --- Variables ---------------------------------------------------------------------------------------------------------------------------------


def datasource_variable():
    """Which Prometheus."""
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "regex": "", "current": {}, "options": [], "refresh": 1, "hide": 0, "multi": False, "includeAll": False}


def query_variable(name, label, query, multi=True, all_value=".+", **more):
    """A variable filled from label values whenever the time range changes; `all_value` None: no All."""
    everything = {"text": ["All"], "value": ["$__all"]} if multi else {"text": "All", "value": "$__all"}
    return {
        "name": name, "label": label, "type": "query", "datasource": DATASOURCE,
        "definition": query, "query": {"query": query, "refId": f"variable-{name}"},
        "refresh": 2, "sort": 5, "regex": "", "multi": multi, "options": [], "hide": 0,
        "includeAll": all_value is not None, "current": everything if all_value else {},
    } | ({"allValue": all_value} if all_value else {}) | more  # fmt: skip


def target_variables():
    """Data source, job and instance: what every dashboard has."""
    return [
        datasource_variable(),
        query_variable("job", "Job", "label_values(cloudtrail_exporter_build_info, job)"),
        query_variable("instance", "Instance", 'label_values(cloudtrail_exporter_build_info{job=~"$job"}, instance)'),
    ]


# --- Annotations and links ---------------------------------------------------------------------------------------------------------------------


def annotation(name, expr, title, text, colour, enable=True, **more):
    """Marks on every graph, from a query."""
    return {"name": name, "datasource": DATASOURCE, "enable": enable, "hide": False, "iconColor": colour, "expr": expr, "titleFormat": title, "textFormat": text, "step": "60s", "useValueForTime": False} | more


def annotations(alert_matchers, by):
    """Firing alerts, and versions and configurations that were not there in the day before."""
    alerts = f'count by (alertname, severity{by}) (ALERTS{{alertname=~"CloudTrail.+", alertstate="firing", severity=~"critical|warning"{alert_matchers}}})'
    target = '{job=~"$job", instance=~"$instance"}'

    def new(metric, labels):
        series = f"cloudtrail_exporter_{metric}{target}"
        return f"group by ({labels}) ({series}) unless on ({labels}) last_over_time({series}[1d] offset 2m)"

    return [
        annotation("Alerts", alerts, "{{alertname}}", "{{severity}} {{account_name}}", words.BAD),
        annotation("New version", new("build_info", "version, revision"), "Version {{version}}", "Revision {{revision}}", "#56B4E9"),
        annotation("New configuration", new("config_info", "sha256"), "Configuration {{sha256}}", "An instance runs a configuration not seen in the day before.", "#E69F00"),
    ]


def dashboard_link(title, uid, tooltip):
    """A link in the head of a dashboard that keeps data source, job and time."""
    return {"title": title, "type": "link", "url": f"/d/{uid}?{KEEP}", "tooltip": tooltip, "icon": "dashboard", "targetBlank": False, "asDropdown": False, "includeVars": False, "keepTime": False, "tags": []}


ALL_LINKS = {
    "cloudtrail-fleet": dashboard_link("Fleet", "cloudtrail-fleet", "Which accounts are not covered, and why"),
    "cloudtrail-account": dashboard_link("Account", "cloudtrail-account", "One account: its trails, deliveries, checks"),
    "cloudtrail-exporter": dashboard_link("Exporter", "cloudtrail-exporter", "The exporter itself"),
}


# --- Panels ------------------------------------------------------------------------------------------------------------------------------------


def target(expr, legend="", instant=False, table=False, **more):
    """A query."""
    return {"expr": expr, "legendFormat": legend or "__auto", "instant": instant, "range": not instant, "format": "table" if table else "time_series", "editorMode": "code"} | more


def table_target(expr):
    """A query for now, as a table."""
    return target(expr, instant=True, table=True)


def thresholds(base, *steps):
    """Colours by value: a base, then (value, colour)."""
    return {"mode": "absolute", "steps": [{"color": base, "value": None}, *({"color": colour, "value": value} for value, colour in steps)]}


def panel(kind, title, description, targets, options=None, overrides=(), transformations=(), custom=None, links=(), **defaults):
    """A panel of any kind; `defaults` are field defaults: unit, thresholds, mappings, min, max, noValue ..."""
    lettered = [{"refId": chr(ord("A") + i), "datasource": DATASOURCE} | t for i, t in enumerate(targets)]
    field = defaults | ({"custom": custom} if custom else {}) | ({"links": list(links)} if links else {})
    return {
        "type": kind, "title": title, "description": description, "datasource": DATASOURCE, "pluginVersion": PLUGIN_VERSION,
        "targets": lettered, "options": options or {}, "transformations": list(transformations),
        "fieldConfig": {"defaults": field, "overrides": list(overrides)},
    }  # fmt: skip


def stat(title, description, targets, colour="value", spark=False, text="auto", fields="", size=None, **defaults):
    """A big value. `colour`: value, background_solid or none; `fields` picks a text column of a table."""
    options = {
        "colorMode": colour, "graphMode": "area" if spark else "none", "textMode": text, "justifyMode": "auto", "orientation": "auto",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": fields, "values": False}, "wideLayout": True, "showPercentChange": False,
    } | ({"text": {"valueSize": size}} if size else {})  # fmt: skip
    defaults.setdefault("color", {"mode": "thresholds"})
    defaults.setdefault("thresholds", thresholds(words.PLAIN))
    return panel("stat", title, description, targets, options, **defaults)


def timeseries(title, description, targets, legend="list", stack=False, fill=8, limits=None, tooltip="multi", custom=None, **defaults):
    """Lines. `legend`: list, table (last and max, to the right), below (the same below) or None; `limits`: thresholds drawn as dashed lines."""
    drawn = {"drawStyle": "line", "lineWidth": 2 if not stack else 1, "fillOpacity": 70 if stack else fill, "showPoints": "never", "spanNulls": False, "stacking": {"mode": "normal" if stack else "none", "group": "A"}, "axisSoftMin": 0, "thresholdsStyle": {"mode": "dashed" if limits else "off"}}
    options = {"legend": {"showLegend": legend is not None, "displayMode": "list" if legend in (None, "list") else "table", "placement": "right" if legend == "table" else "bottom", "calcs": [] if legend in (None, "list") else ["lastNotNull", "max"]}, "tooltip": {"mode": tooltip, "sort": "desc"}}
    defaults.setdefault("color", {"mode": "palette-classic"})
    return panel("timeseries", title, description, targets, options, custom=drawn | (custom or {}), thresholds=limits or thresholds(words.PLAIN), **defaults)


def timeline(title, description, targets, mappings, row_height=0.8, most_points=None, **more):
    """States over time, one row a series."""
    options = {"mergeValues": True, "showValue": "auto", "alignValue": "left", "rowHeight": row_height, "legend": {"showLegend": True, "displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "single"}}
    drawn = panel("state-timeline", title, description, targets, options, custom={"lineWidth": 0, "fillOpacity": 85, "spanNulls": False}, mappings=mappings, color={"mode": "thresholds"}, thresholds=thresholds(words.QUIET), **more)
    return drawn | ({"maxDataPoints": most_points} if most_points else {})


def table(title, description, targets, columns, sort=None, limit=None, **defaults):
    """A table of instant queries merged on their labels. `columns`: label or "Value #X" -> (heading, width, properties); `sort`: one of these, or one not shown."""
    renames = {source: column[0] for source, column in columns.items()}
    kept = [*columns, *([sort] if sort and sort not in columns else [])]
    steps = [{"id": "merge", "options": {}}] if len(targets) > 1 else []
    steps.append({"id": "filterFieldsByName", "options": {"include": {"names": kept}}})
    if sort:
        steps.append({"id": "sortBy", "options": {"fields": {}, "sort": [{"field": sort, "desc": True}]}})
    if limit:
        steps.append({"id": "limit", "options": {"limitField": limit}})
    hidden = {source: True for source in kept if source not in columns}
    steps.append({"id": "organize", "options": {"excludeByName": hidden, "indexByName": {source: i for i, source in enumerate(columns)}, "renameByName": renames}})
    overrides = [override(heading, **{"custom.width": width} if width else {}, **properties) for heading, width, properties in columns.values() if width or properties]
    options = {"showHeader": True, "cellHeight": "sm", "footer": {"show": False, "reducer": ["sum"], "fields": ""}}
    defaults.setdefault("color", {"mode": "thresholds"})
    defaults.setdefault("thresholds", thresholds(words.QUIET))
    defaults.setdefault("custom", {"align": "auto", "cellOptions": {"type": "auto"}})
    return panel("table", title, description, targets, options, overrides, steps, **defaults)


def override(field, **properties):
    """Properties of the field of that name."""
    return {"matcher": {"id": "byName", "options": field}, "properties": [{"id": name, "value": value} for name, value in properties.items()]}


def coloured(series):
    """Overrides that give series of known names a colour, and a name to read: name -> (said, colour)."""
    return [override(name, displayName=said, color={"mode": "fixed", "fixedColor": colour}) for name, (said, colour) in series.items()]


CELL = {"custom.cellOptions": {"type": "color-text"}}
FILLED = {"custom.cellOptions": {"type": "color-background", "mode": "basic"}}


# --- Layout ------------------------------------------------------------------------------------------------------------------------------------


def stacked(x, y, width, panels):
    """Panels on top of each other: [(height, panel), ...]."""
    for height, each in panels:
        yield each | {"gridPos": {"x": x, "y": y, "w": width, "h": height}}
        y += height


def layout(rows):
    """Panels with ids and places. A row is a title, or (height, [(width, panel or stack of panels), ...]) with widths that add up to 24."""
    placed, y = [], 0
    for row in rows:
        if isinstance(row, str):
            placed.append({"type": "row", "title": row, "collapsed": False, "panels": [], "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1}})
            y += 1
            continue
        height, columns = row
        assert sum(width for width, _ in columns) == WIDTH, row
        x = 0
        for width, each in columns:
            placed.extend(stacked(x, y, width, each if isinstance(each, list) else [(height, each)]))
            x += width
        y += height
    return [{"id": i + 1} | each for i, each in enumerate(placed)]


def dashboard(uid, title, description, variables, rows, marks, since="now-24h"):
    """A whole dashboard: fixed uid, UTC, not editable in Grafana since it is provisioned from a file."""
    return {
        "uid": uid, "title": title, "description": description, "tags": TAGS, "schemaVersion": SCHEMA_VERSION, "version": 1, "id": None,
        "editable": False, "graphTooltip": 1, "timezone": "utc", "weekStart": "monday", "fiscalYearStartMonth": 0, "liveNow": False, "preload": False,
        "refresh": "1m", "time": {"from": since, "to": "now"}, "timepicker": {"refresh_intervals": ["30s", "1m", "5m", "15m", "1h"]},
        "links": [link for name, link in ALL_LINKS.items() if name != uid], "annotations": {"list": marks}, "templating": {"list": variables},
        "panels": layout(rows),
    }  # fmt: skip
