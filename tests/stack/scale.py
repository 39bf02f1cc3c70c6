"""Runs the shipped Prometheus and Alertmanager files in less time: every duration in them is divided by one number, all else stays byte for byte.

A duration is what Prometheus writes as one (`90s`, `10m`, `1h30m`): the whole value of a YAML key (`for: 10m`), a range (`[5m]`) or an offset
(`offset 1d`). Comments, names (`:rate5m`) and prose stay. So do numbers of seconds in expressions (`> 3 * 3600`): they are compared with AWS's
time, which runs no faster.
"""

import re

_MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "y": 31_536_000_000}
_PART = re.compile(r"(\d+)(ms|[smhdwy])")
_DURATION = r"(?:\d+(?:ms|[smhdwy]))+\b"
# Where a duration stands: the value of a key, a range or subquery, an offset.
_PLACE = re.compile(rf"^\s*(?:- )?\w+:\s+{_DURATION}(?=\s*(?:#.*)?$)|\[{_DURATION}(?::(?:{_DURATION})?)?\]|\boffset\s+-?{_DURATION}")


def milliseconds(duration):
    """`1h30m` as a number."""
    return sum(int(number) * _MILLISECONDS[unit] for number, unit in _PART.findall(duration))


def faster(duration, speed):
    """One duration divided by `speed`, cut to the millisecond and at least one."""
    left = max(1, milliseconds(duration) // speed)
    return f"{left}ms" if left % 1000 else f"{left // 1000}s"


def faster_file(text, speed):
    """A rules or configuration file whose durations are divided by `speed`."""
    return text if speed == 1 else "".join(_faster_line(line, speed) for line in text.splitlines(keepends=True))


def _faster_line(line, speed):
    if line.lstrip().startswith("#"):
        return line
    divide = lambda duration: faster(duration[0], speed)
    return _PLACE.sub(lambda place: re.sub(_DURATION, divide, place[0]), line)
