"""Draws docs/scale.svg: what an account costs, over the number of accounts. No library, so that it can be made anywhere.

    python benches/plot.py     draws it again from target/bench/results.json
"""

import json
import math
import pathlib

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 340, 250, 52, 40, 42
PANELS = [
    ("CPU per poll, ms", [("warm_ms", "warm", "#2563eb"), ("cold_ms", "with AssumeRole", "#d97706")]),
    ("memory per account, KiB", [("memory_kib", "over the bare process", "#2563eb")]),
    ("CPU of a scrape per account, µs", [("scrape_us", "text", "#2563eb"), ("gzip_us", "gzip", "#d97706")]),
]


def draw(points, path):
    panels = [panel(points, *p, x=i * WIDTH) for i, p in enumerate(PANELS)]
    width = WIDTH * len(PANELS)
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" width="{width}" height="{HEIGHT}" font-family="sans-serif" font-size="11">'
    svg += f'<rect width="{width}" height="{HEIGHT}" fill="white"/>' + "".join(panels) + "</svg>\n"
    path.write_text(svg)


def panel(points, title, series, x):
    right, foot = x + WIDTH - 16, HEIGHT - BOTTOM
    first, last = points[0]["accounts"], points[-1]["accounts"]
    top = ceiling(max(p[key] for p in points for key, _, _ in series))
    across = lambda n: x + LEFT + (right - x - LEFT) * math.log(n / first) / math.log(last / first)
    up = lambda value: foot - (foot - TOP) * value / top
    out = [f'<text x="{x + LEFT}" y="16" font-weight="bold">{title}</text>']
    for i in range(5):
        value = top * i / 4
        out.append(f'<path d="M{x + LEFT} {up(value):.1f}H{right}" stroke="#ddd"/><text x="{x + LEFT - 6}" y="{up(value) + 4:.1f}" text-anchor="end">{value:g}</text>')
    for p in points:
        out.append(f'<text x="{across(p["accounts"]):.1f}" y="{foot + 16}" text-anchor="middle">{short(p["accounts"])}</text>')
    out.append(f'<text x="{(x + LEFT + right) / 2}" y="{foot + 34}" text-anchor="middle">accounts</text>')
    for i, (key, name, colour) in enumerate(series):
        line = " ".join(f'{across(p["accounts"]):.1f},{up(p[key]):.1f}' for p in points)
        dots = "".join(f'<circle cx="{across(p["accounts"]):.1f}" cy="{up(p[key]):.1f}" r="2.5"/>' for p in points)
        out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.5"/><g fill="{colour}">{dots}</g>')
        out.append(f'<text x="{x + LEFT + i * 90}" y="32" fill="{colour}">{name}</text>')
    return "".join(out)


def ceiling(value):
    step = 10 ** math.floor(math.log10(value))
    return next(step * f for f in (1, 2, 4, 6, 8, 10) if step * f >= value)


def short(n):
    return f"{n // 1000}k" if n >= 1000 else str(n)


if __name__ == "__main__":
    import common

    results = json.loads((common.WORK / "results.json").read_text())
    draw(results["curve"], pathlib.Path(common.ROOT / "docs/scale.svg"))
