"""A small line chart as SVG text: readable on light and dark, and by a screen reader.

Lines are told apart by their dashes as well as by their place, so nothing hangs on colour;
ink is `currentColor`. A title and a description are in words.
"""

from collections.abc import Sequence
from html import escape
from math import ceil, floor, isfinite, log10
from typing import Any

import numpy as np

Line = tuple[str, Any, Any]  # label, xs, ys

wide, high = 640, 360
left, right, top, bottom = 64, 16, 56, 48
dashes = ("", "7 4", "2 3", "10 3 2 3", "1 5", "14 4")
most = 400  # points drawn of one line


def chart(
    title: str,
    x_label: str,
    y_label: str,
    lines: Sequence[Line],
    points: Sequence[Line] = (),
    bands: Sequence[tuple[str, Any, Any, Any]] = (),
) -> str:
    """Lines, measured points and bands (label, xs, lows, highs) over one pair of axes, as SVG.

    Labels carry the units. Values that are not finite are left out; what cannot be drawn at all
    raises ValueError.
    """
    drawn = [*lines, *points]
    xs = [x for _, x, _ in drawn] + [x for _, x, _, _ in bands]
    ys = [y for _, _, y in drawn] + [y for b in bands for y in b[2:]]
    x_ticks, y_ticks = _ticks(xs), _ticks(ys)
    place = _Placing(x_ticks, y_ticks)
    labels = [label for label, *_ in drawn] + [label for label, *_ in bands]
    said = f"{y_label} against {x_label}: {', '.join(labels)}."
    body = [
        *_axes(place, x_label, y_label),
        *(_band(place, b) for b in bands),
        *(_path(place, one, dashes[k % len(dashes)]) for k, one in enumerate(lines)),
        *(_dots(place, one, k) for k, one in enumerate(points)),
        *_legend([label for label, *_ in lines], [label for label, *_ in points]),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" role="img" '
        f'aria-labelledby="t d" font-family="system-ui, sans-serif" font-size="12" '
        f'fill="currentColor" color="#5b7083">\n<title id="t">{escape(title)}</title>\n'
        f'<desc id="d">{escape(said)}</desc>\n'
        f'<text x="{left}" y="16" font-size="14" font-weight="600">{escape(title)}</text>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


class _Placing:
    """Where a value stands on the paper."""

    def __init__(self, x_ticks: list[float], y_ticks: list[float]) -> None:
        self.x_ticks, self.y_ticks = x_ticks, y_ticks

    def x(self, value: Any) -> Any:
        low, span = self.x_ticks[0], self.x_ticks[-1] - self.x_ticks[0]
        return left + (np.asarray(value, float) - low) / span * (wide - left - right)

    def y(self, value: Any) -> Any:
        low, span = self.y_ticks[0], self.y_ticks[-1] - self.y_ticks[0]
        return high - bottom - (np.asarray(value, float) - low) / span * (high - top - bottom)


def _ticks(values: list[Any]) -> list[float]:
    """Round numbers that hold every value, five or so of them."""
    seen = np.concatenate([np.ravel(np.asarray(v, float)) for v in values] or [np.array([])])
    seen = seen[np.isfinite(seen)]
    if not len(seen):
        raise ValueError("there is nothing to draw: no line has a finite value")
    low, top_ = float(seen.min()), float(seen.max())
    rough = (top_ - low or abs(low) or 1.0) / 5
    ten = 10.0 ** floor(log10(rough))
    step = next(m * ten for m in (1, 2, 2.5, 5, 10) if m * ten >= rough * 0.999)
    first, last = floor(low / step + 1e-9), ceil(top_ / step - 1e-9)
    return [k * step for k in range(first, max(last, first + 1) + 1)]


def _axes(place: _Placing, x_label: str, y_label: str) -> list[str]:
    floor_, end = high - bottom, wide - right
    drawn = [f'<path d="M{left} {top}V{floor_}H{end}" fill="none" stroke="currentColor"/>']
    for value in place.x_ticks:
        x = place.x(value)
        drawn.append(f'<text x="{x:.1f}" y="{floor_ + 16}" text-anchor="middle">{value:g}</text>')
    for value in place.y_ticks:
        y = place.y(value)
        drawn.append(
            f'<path d="M{left} {y:.1f}H{end}" stroke="currentColor" stroke-opacity=".15"/>'
        )
        drawn.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    middle_x, middle_y = (left + end) / 2, (top + floor_) / 2
    drawn.append(
        f'<text x="{middle_x}" y="{high - 10}" text-anchor="middle">{escape(x_label)}</text>'
    )
    turned = f"rotate(-90 14 {middle_y})"
    drawn.append(
        f'<text x="14" y="{middle_y}" text-anchor="middle" transform="{turned}">'
        f"{escape(y_label)}</text>"
    )
    return drawn


def _pairs(place: _Placing, xs: Any, ys: Any) -> list[tuple[float, float]]:
    x, y = np.ravel(place.x(xs)), np.ravel(place.y(ys))
    keep = slice(None, None, max(1, ceil(len(x) / most)))
    return [(a, b) for a, b in zip(x[keep], y[keep], strict=True) if isfinite(a) and isfinite(b)]


def _path(place: _Placing, line: Line, dash: str) -> str:
    told = "L".join(f"{a:.1f} {b:.1f}" for a, b in _pairs(place, *line[1:]))
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path d="M{told}" fill="none" stroke="currentColor" stroke-width="1.8"{dashed}/>'


def _band(place: _Placing, band: tuple[str, Any, Any, Any]) -> str:
    _, xs, lows, highs = band
    there, back = _pairs(place, xs, lows), _pairs(place, xs, highs)[::-1]
    told = "L".join(f"{a:.1f} {b:.1f}" for a, b in [*there, *back])
    return f'<path d="M{told}Z" fill-opacity=".15"/>'


def _dots(place: _Placing, line: Line, kind: int) -> str:
    full = "currentColor" if kind == 0 else "none"
    drawn = "".join(
        f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3"/>' for a, b in _pairs(place, *line[1:])
    )
    return f'<g fill="{full}" stroke="currentColor">{drawn}</g>'


def _legend(lines: list[str], points: list[str]) -> list[str]:
    drawn, x = [], float(left)
    for k, label in enumerate([*lines, *points]):
        if k < len(lines):
            dash = f' stroke-dasharray="{dashes[k % len(dashes)]}"' if k % len(dashes) else ""
            mark = f'<path d="M{x} 36h24" stroke="currentColor" stroke-width="1.8"{dash}/>'
        else:
            full = "currentColor" if k == len(lines) else "none"
            mark = f'<circle cx="{x + 12}" cy="36" r="3" fill="{full}" stroke="currentColor"/>'
        drawn.append(f'{mark}<text x="{x + 30:.0f}" y="40">{escape(label)}</text>')
        x += 44 + 6.6 * len(label)
    return drawn
