"""Rank histograms of every filter: even where its doubt is the right size."""

import json
from html import escape
from pathlib import Path
from typing import Any

results = Path(__file__).parents[1] / "results" / "calibration.json"
columns, wide, high, gap = 4, 150, 90, 46


def draw() -> str:
    """A small histogram for each method and quantity, from evidence/results/calibration.json."""
    rows = json.loads(results.read_text())
    down = -(-len(rows) // columns)
    size = columns * (wide + 14) + 14, down * (high + gap) + 30
    title = "Ranks of the truth among 19 draws of what each filter believes"
    said = "Bars of even height mean calibrated doubt; the grey band holds 99 % of even bars."
    body = "\n".join(_one(row, k) for k, row in enumerate(rows))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]} {size[1]}" role="img" '
        f'aria-labelledby="t d" font-family="system-ui, sans-serif" font-size="9" '
        f'fill="currentColor" color="#5b7083">\n<title id="t">{title}</title>\n'
        f'<desc id="d">{said}</desc>\n<text x="14" y="16" font-size="12">{title}</text>\n'
        f"{body}\n</svg>\n"
    )


def _one(row: dict[str, Any], k: int) -> str:
    x, y = 14 + k % columns * (wide + 14), 30 + k // columns * (high + gap)
    counts, even = row["counts"], row["runs"] / len(row["counts"])
    tall = max(*counts, 2 * even)
    each, floor = wide / len(counts), y + high + 24
    around = 2.576 * (even * (1 - 1 / len(counts))) ** 0.5
    bars = "".join(
        f"M{x + i * each:.1f} {floor}v{-high * c / tall:.1f}h{each - 1:.1f}V{floor}z"
        for i, c in enumerate(counts)
    )
    band = high * 2 * around / tall
    top = floor - high * (even + around) / tall
    return (
        f'<text x="{x}" y="{y + 8}">{escape(row["method"])}</text>'
        f'<text x="{x}" y="{y + 19}">{escape(row["quantity"])}, p {row["p"]:.2f}</text>'
        f'<rect x="{x}" y="{top:.1f}" width="{wide}" height="{band:.1f}" fill-opacity=".15"/>'
        f'<path d="{bars}" fill-opacity=".6"/>'
    )
