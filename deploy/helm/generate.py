"""Writes what is generated of the chart: the schema of its `config`, its README's table of values,
and the manifests of deploy/kubernetes, which are the chart rendered. `make generate` runs it; with
`--check` it only says what is out of date."""

import json
import pathlib
import re
import sys

import helm_python as helm
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy/helm/cloudtrail-exporter"
KUBERNETES = ROOT / "deploy/kubernetes"
CASES = ["single", "sharded"]
NAMESPACE = "monitoring"
# Helm's own: wrong on objects that Helm does not manage.
HELM_LABELS = re.compile(r"^ +(helm\.sh/chart|app\.kubernetes\.io/managed-by): .*\n", re.M)
TABLE = re.compile(r"(?<=<!-- values -->\n).*?(?=<!-- /values -->)", re.S)


def schema():
    """The schema of the values, with that of the configuration in its place."""
    values = json.loads((CHART / "values.schema.json").read_text())
    config = json.loads((ROOT / "deploy/cloudtrail-exporter.schema.json").read_text())
    del config["$schema"]
    values["properties"]["config"] = config
    return json.dumps(values, indent=2) + "\n"


def documented(text):
    """Rows (key, default, description) of a values file: the keys below a comment with `--`."""
    parents, comment = [], []
    defaults = yaml.safe_load(text)
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("# --"):
            comment = [stripped[4:].strip()]
        elif stripped.startswith("#") and comment:
            comment.append(stripped[1:].strip())
        elif match := re.match(r"( *)([A-Za-z]+):", line):
            depth = len(match[1]) // 2
            parents = [*parents[:depth], match[2]]
            if comment:
                yield ".".join(parents), value_at(defaults, parents), " ".join(comment)
            comment = []
        else:
            comment = []


def value_at(tree, path):
    for name in path:
        tree = tree[name]
    return tree


def table():
    rows = documented((CHART / "values.yaml").read_text())
    lines = ["| Key | Default | Description |", "| --- | --- | --- |"]
    for key, default, text in rows:
        lines.append(f"| `{key}` | `{json.dumps(default)}` | {text.replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"


def readme():
    text = (CHART / "README.md").read_text()
    return TABLE.sub(lambda _: table(), text)


def manifests(case):
    """The chart rendered with the values of a case, without what is Helm's."""
    values = helm.values_from_yaml((KUBERNETES / case / "values.yaml").read_text())
    with helm.Chart.load(CHART) as chart:
        rendered = chart.render(values, name="cloudtrail-exporter", namespace=NAMESPACE)
    parts = [
        part.strip()
        for path, text in sorted(rendered.items())
        if not path.endswith("NOTES.txt")
        for part in re.split(r"^---$", text, flags=re.M)
        if part.strip()
    ]
    head = "# Generated from deploy/helm by `make generate`: change values.yaml instead.\n"
    return head + "".join(HELM_LABELS.sub("", f"---\n{part}\n") for part in parts)


def generated():
    yield CHART / "values.schema.json", schema
    yield CHART / "README.md", readme
    for case in CASES:
        yield KUBERNETES / case / "manifests.yaml", lambda case=case: manifests(case)


def main():
    check = sys.argv[1:] == ["--check"]
    stale = []
    for path, make in generated():
        text = make()
        if path.exists() and path.read_text() == text:
            continue
        stale.append(str(path.relative_to(ROOT)))
        if not check:
            path.write_text(text)
    verb = "out of date; run `make generate`" if check else "written"
    for path in stale:
        print(f"{path}: {verb}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
