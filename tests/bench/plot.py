#!/usr/bin/env python3
"""Pictures of the figures that run.py wrote: SVG, by hand, no libraries.

  plot.py FIGURES.json DIRECTORY

ratios.svg: every comparison, as how many times better than what was aimed at. lookups.svg: nanoseconds of a lookup by
the number of hosts. starts.svg: milliseconds to the first answer and of a build by the number of hosts.
"""
import json
import math
import os
import re
import sys

WIDTH, LEFT, RIGHT, ROW = 860, 430, 40, 22
COLOURS = ["#1b6ca8", "#d1495b", "#3d8b37", "#8a5a00"]
STYLE = "<style>text{font:12px sans-serif;fill:#222}.s{fill:#666}.g{stroke:#ddd}</style>"


def escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def svg(height, parts):
    return ('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d">%s'
            '<rect width="100%%" height="100%%" fill="#fff"/>\n%s\n</svg>\n' % (
                WIDTH, height, WIDTH, height, STYLE, "\n".join(parts)))


def text(x, y, words, anchor="start", kind=""):
    return '<text x="%.1f" y="%.1f" text-anchor="%s"%s>%s</text>' % (
        x, y, anchor, ' class="%s"' % kind if kind else "", escape(words))


def margin(figure):
    """How many times better than the aim; 1 is the aim itself."""
    ratio = figure["ratio"] / figure["reach"]
    return ratio if "/" in figure["unit"] else 1 / ratio


def ratios(figures):
    rows = [f for f in figures if f["ratio"] and f["reach"]]
    lo, hi = -1.0, 1.0  # powers of ten around the aim
    scale = lambda v: LEFT + (min(max(math.log10(v), lo), hi) - lo) / (hi - lo) * (WIDTH - LEFT - RIGHT)
    bottom = 40 + ROW * len(rows)
    parts = [text(10, 20, "How many times better than aimed at (1: just so; logarithmic)")]
    for mark in (0.1, 0.2, 0.5, 1, 2, 5, 10):
        x = scale(mark)
        parts.append('<line class="g" x1="%.1f" x2="%.1f" y1="32" y2="%d"/>' % (x, x, bottom))
        parts.append(text(x, bottom + 14, "%g" % mark, "middle", "s"))
    for number, figure in enumerate(rows):
        y, value = 40 + ROW * number, margin(figure)
        a, b = sorted((scale(1), scale(value)))
        parts.append(text(LEFT - 8, y + 13, figure["measure"][:66], "end"))
        parts.append('<rect x="%.1f" y="%d" width="%.1f" height="14" fill="%s"/>' % (
            a, y + 2, max(b - a, 1), COLOURS[2] if figure["ok"] else COLOURS[1]))
        parts.append(text(b + 4, y + 13, "%.2f" % value, kind="s"))
    return svg(bottom + 24, parts)


def curves(title, unit, lines):
    """lines: (name, [(hosts, value)]); both axes logarithmic."""
    points = [p for _, line in lines for p in line]
    if not points:
        return None
    left, right, top, bottom = 70, WIDTH - 260, 40, 340
    x0, x1 = (math.log10(f(p[0] for p in points)) for f in (min, max))
    y0 = math.floor(math.log10(min(p[1] for p in points)))
    y1 = math.ceil(math.log10(max(p[1] for p in points)))
    x1, y1 = max(x1, x0 + 1), max(y1, y0 + 1)
    at_x = lambda v: left + (math.log10(v) - x0) / (x1 - x0) * (right - left)
    at_y = lambda v: bottom - (math.log10(v) - y0) / (y1 - y0) * (bottom - top)
    parts = [text(10, 20, title)]
    for power in range(int(y0), int(y1) + 1):
        y = at_y(10 ** power)
        parts.append('<line class="g" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>' % (left, right, y, y))
        parts.append(text(left - 6, y + 4, "%g %s" % (10.0 ** power, unit), "end", "s"))
    for power in range(math.ceil(x0), math.floor(x1) + 1):
        parts.append(text(at_x(10 ** power), bottom + 16, "{:,}".format(10 ** power), "middle", "s"))
    parts.append(text((left + right) / 2, bottom + 34, "hosts", "middle", "s"))
    for number, (name, line) in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join("%.1f,%.1f" % (at_x(x), at_y(y)) for x, y in sorted(line))
        parts.append('<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>' % (path, colour))
        parts += ['<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>' % (at_x(x), at_y(y), colour) for x, y in line]
        parts.append('<rect x="%d" y="%d" width="10" height="10" fill="%s"/>' % (right + 16, top + 20 * number, colour))
        parts.append(text(right + 32, top + 20 * number + 9, name))
    return svg(bottom + 50, parts)


def series(figures, name, field="value"):
    """Values of "NAME, N hosts" by N."""
    out = []
    for figure in figures:
        match = re.fullmatch(re.escape(name) + r", (\d+) hosts", figure["measure"])
        if match and figure[field]:
            out.append((int(match.group(1)), figure[field]))
    return out


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: plot.py FIGURES.json DIRECTORY")
    with open(sys.argv[1], encoding="utf-8") as source:
        figures = json.load(source)["figures"]
    one, batch = "image lookup one by one", "image lookup batched"
    pictures = {
        "ratios.svg": ratios(figures),
        "lookups.svg": curves("One lookup, random names, in process", "ns", [
            ("one by one", series(figures, one)), ("batched", series(figures, batch)),
            ("plain open-addressing hash", series(figures, one, "peer_value"))]),
        "starts.svg": curves("From the start of the process, and of it the build", "ms", [
            ("first answer, without image", series(figures, "start to first answer, from SQLite")),
            ("snapshot build from SQLite", series(figures, "snapshot build"))]),
    }
    for name, picture in pictures.items():
        if picture:
            with open(os.path.join(sys.argv[2], name), "w", encoding="utf-8") as out:
                out.write(picture)


if __name__ == "__main__":
    main()
