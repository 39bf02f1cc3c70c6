"""Unit tests of scale.py."""

import pathlib
import re
import unittest

import yaml

from scale import faster, faster_file

SHIPPED = pathlib.Path(__file__).resolve().parents[2] / "deploy"
DURATION = re.compile(r"(\d+(ms|[smhdwy]))+")


def leaves(node, path=()):
    """Every scalar of a YAML document with its path."""
    if isinstance(node, dict):
        node = node.items()
    elif isinstance(node, list):
        node = enumerate(node)
    else:
        yield path, node
        return
    for key, child in node:
        yield from leaves(child, (*path, key))


class Scale(unittest.TestCase):
    def test_a_duration_is_divided(self):
        for duration, wanted in [("10m", "10s"), ("1h30m", "90s"), ("25s", "416ms"), ("1d", "1440s"), ("30ms", "1ms")]:
            self.assertEqual(faster(duration, 60), wanted)

    def test_values_ranges_subqueries_and_offsets_are_durations(self):
        for line, wanted in [
            ("  for: 10m", "  for: 10s"),
            ("  - interval: 1m # how often", "  - interval: 1s # how often"),
            ("rate(x[5m]) > 0.05", "rate(x[5s]) > 0.05"),
            ("max_over_time(x[1h:5m])", "max_over_time(x[60s:5s])"),
            ("x offset 1d", "x offset 1440s"),
            ("x offset -1h", "x offset -60s"),
        ]:
            self.assertEqual(faster_file(line, 60), wanted)

    def test_nothing_else_is_touched(self):
        for line in ["# for: 10m", "- record: a:b:rate5m", "expr: x > 3 * 3600", "description: 'in 5m or [an hour]'", "max_alerts: 500"]:
            self.assertEqual(faster_file(line, 60), line)

    def test_speed_one_is_the_file_itself(self):
        self.assertEqual(faster_file("for: 10m\n", 1), "for: 10m\n")

    def test_every_duration_of_the_shipped_files_is_divided_and_no_other_value_changes(self):
        for file in [*SHIPPED.glob("prometheus/*.y*ml"), *SHIPPED.glob("alertmanager/*.yml")]:
            text = file.read_text()
            before, after = dict(leaves(yaml.safe_load(text))), dict(leaves(yaml.safe_load(faster_file(text, 60))))
            self.assertEqual(before.keys(), after.keys(), file)
            for path, value in before.items():
                with self.subTest(file=file.name, path=path):
                    if isinstance(value, str) and DURATION.fullmatch(value):
                        self.assertEqual(after[path], faster(value, 60))
                    elif path[-1] != "expr":
                        self.assertEqual(after[path], value)


if __name__ == "__main__":
    unittest.main()
