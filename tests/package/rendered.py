"""Writes what the chart renders for each of its examples into FOLDER."""

import pathlib
import sys

import helm_python as helm

CHART = pathlib.Path(__file__).resolve().parents[2] / "deploy/helm/cloudtrail-exporter"

folder = pathlib.Path(sys.argv[1])
with helm.Chart.load(CHART) as chart:
    for path in sorted((CHART / "ci").glob("*-values.yaml")):
        values = helm.values_from_yaml(path.read_text())
        rendered = chart.render(values, name="cloudtrail-exporter", namespace="monitoring")
        texts = [text for name, text in rendered.items() if not name.endswith("NOTES.txt")]
        name = path.name.replace("-values", "")
        (folder / name).write_text("\n---\n".join(text for text in texts if text.strip()))
