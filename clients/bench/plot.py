#!/usr/bin/env python3
"""Draws a benchmark session as SVG: cost.svg (server, floor and bar of each measurement), latency.svg (percentiles), and
growth.svg (cost against size) where that was measured.

usage: plot.py FOLDER
"""
import math
import pathlib
import sys
from xml.sax.saxutils import escape

import results as session

COLOURS = {"server": "#2563a8", "floor": "#b8b8b8", "server1": "#2563a8", "server2": "#7a4fb0"}
BAR_COLOUR = "#c0392b"
SERIES = ["#2563a8", "#2a8f5b", "#b8860b", "#7a4fb0", "#c0392b", "#4a4a4a"]
PERCENTILES = ["p50", "p90", "p99", "p99.9", "p99.99", "max"]
TITLES = {"actions": "action", "paced": "delivery, paced", "flat": "delivery, 64 in flight", "everyone": "delivery, everyone",
          "steady": "delivery, steady", "join": "join"}
COST_BARS = {"flat": 0.6, "everyone": 0.35}          # us
RATIO_BARS = {"actions": 1.25, "paced": 1.15}        # times the floor


class Drawing:
    """An SVG picture under construction; y grows downwards."""

    def __init__(self, width, height):
        self.width, self.height, self.parts = width, height, []

    def add(self, tag, content=None, **attributes):
        names = " ".join(f'{name.replace("_", "-")}="{value}"' for name, value in attributes.items())
        self.parts.append(f"<{tag} {names}/>" if content is None else f"<{tag} {names}>{escape(content)}</{tag}>")

    def text(self, x, y, content, size=12, anchor="start", colour="#333"):
        # The white edge keeps a number readable where a line crosses it.
        self.add("text", content, x=f"{x:.1f}", y=f"{y:.1f}", font_size=size, text_anchor=anchor, fill=colour, stroke="white",
                 stroke_width=3, paint_order="stroke")

    def line(self, x1, y1, x2, y2, colour="#999", width=1, dash=None):
        extra = {"stroke_dasharray": dash} if dash else {}
        self.add("line", x1=f"{x1:.1f}", y1=f"{y1:.1f}", x2=f"{x2:.1f}", y2=f"{y2:.1f}", stroke=colour, stroke_width=width,
                 **extra)

    def write(self, path):
        head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{self.height}" '
                f'viewBox="0 0 {self.width} {self.height}" font-family="sans-serif">')
        background = '<rect width="100%" height="100%" fill="white"/>'
        path.write_text("\n".join([head, background, *self.parts, "</svg>"]) + "\n")


def number(value):
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def cost_bar(name, floor):
    if name in COST_BARS:
        return COST_BARS[name]
    return RATIO_BARS[name] * floor if name in RATIO_BARS and floor else None


def draw_cost(results, path):
    """One panel for each measurement, each with a scale of its own: a join costs a thousand times a delivery."""
    names = [name for name in TITLES if (name, "server") in results or (name, "floor") in results]
    if not names:
        return
    panel, height = 150, 260
    drawing = Drawing(panel * len(names) + 20, height)
    drawing.text(10, 20, "Server CPU per unit of work, in us (median); the red line is the bar", 13)
    for index, name in enumerate(names):
        left, base, top = 20 + index * panel, height - 45, 50
        values = {who: session.median(results[name, who], session.cpu) for who in ("server", "floor") if (name, who) in results}
        bar = cost_bar(name, values.get("floor"))
        scale = (base - top) / max([*values.values(), bar or 0, 1e-9])
        places = {who: left + 15 + place * 50 for place, who in enumerate(values)}
        for who, value in values.items():
            drawing.add("rect", x=places[who], y=f"{base - value * scale:.1f}", width=40, height=f"{value * scale:.1f}",
                        fill=COLOURS[who])
        if bar:
            drawing.line(left + 5, base - bar * scale, left + 115, base - bar * scale, BAR_COLOUR, 2)
        for who, value in values.items():
            drawing.text(places[who] + 20, base - value * scale - 4, number(value), 11, "middle")
            drawing.text(places[who] + 20, base + 14, who, 11, "middle")
        drawing.line(left + 5, base, left + 115, base)
        drawing.text(left + 60, base + 32, TITLES[name], 12, "middle")
    drawing.write(path)


def draw_axes(drawing, box, x_labels, y_range, y_unit):
    """Logarithmic y axis with a line for each power of ten; returns the function from a value to its y."""
    left, top, right, bottom = box
    low, high = math.floor(math.log10(y_range[0])), math.ceil(math.log10(y_range[1]))
    high = max(high, low + 1)

    def place(value):
        return bottom - (math.log10(max(value, 10 ** low)) - low) / (high - low) * (bottom - top)

    for power in range(low, high + 1):
        drawing.line(left, place(10 ** power), right, place(10 ** power), "#ddd")
        drawing.text(left - 6, place(10 ** power) + 4, f"{10 ** power:g} {y_unit}", 11, "end")
    for x, label in x_labels:
        drawing.text(x, bottom + 18, label, 11, "middle")
    return place


def draw_curves(path, title, curves, labels, unit):
    """Curves over the same labels: {name: [value or None for each label]}."""
    values = [value for curve in curves.values() for value in curve if value]
    if not values:
        return
    drawing = Drawing(760, 360)
    box = (90, 45, 540, 310)
    drawing.text(10, 22, title, 13)
    places = [box[0] + 20 + (box[2] - box[0] - 40) * index / max(len(labels) - 1, 1) for index in range(len(labels))]
    place = draw_axes(drawing, box, list(zip(places, labels)), (min(values), max(values)), unit)
    subjects = list(dict.fromkeys(name.split(",")[0] for name in curves))
    for index, (name, curve) in enumerate(curves.items()):
        colour = SERIES[subjects.index(name.split(",")[0]) % len(SERIES)]
        dash = "5 4" if name.endswith("floor") else None
        points = [(x, place(value)) for x, value in zip(places, curve) if value]
        for before, after in zip(points, points[1:]):
            drawing.line(*before, *after, colour, 2, dash)
        for x, y in points:
            drawing.add("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=3, fill=colour)
        drawing.line(555, 55 + 20 * index, 580, 55 + 20 * index, colour, 3, dash)
        drawing.text(586, 59 + 20 * index, name, 12)
    drawing.write(path)


def draw_latency(results, path):
    curves = {}
    for name, who in ((name, who) for name in TITLES for who in ("server", "floor")):
        runs = results.get((name, who), [])
        if any(run["latencyMs"]["count"] for run in runs):
            curves[f"{name}, {who}"] = [session.median(runs, lambda run, p=percentile: run["latencyMs"][p])
                                        for percentile in PERCENTILES]
    draw_curves(path, "Latency from the intended send to the receipt, median of the runs", curves, PERCENTILES, "ms")


def draw_growth(results, path):
    sizes = sorted({int(name.split("-")[2]) for name, _ in results if name.startswith("growth-")})
    curves = {}
    for name, who in results:
        if name.startswith("growth-"):
            _, what, size = name.split("-")
            curve = curves.setdefault(f"{what}, {who}", [None] * len(sizes))
            curve[sizes.index(int(size))] = session.median(results[name, who], session.cpu)
    draw_curves(path, "Server CPU per unit of work against members, rooms and connections", curves,
                [f"{size:,}" for size in sizes], "us")


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    results = session.read(folder)
    draw_cost(results, folder / "cost.svg")
    draw_latency(results, folder / "latency.svg")
    draw_growth(results, folder / "growth.svg")


if __name__ == "__main__":
    main()
