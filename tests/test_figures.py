"""The small chart: well-formed, said in words, and every value at its place."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from evidence.figures.chart import chart

svg = "{http://www.w3.org/2000/svg}"


def drawn(**more):
    line = ("level", [0.0, 10.0], [0.0, 5.0])
    return ET.fromstring(chart("A < B", "time (h)", "level (mg/L)", [line], **more))


def test_a_chart_says_in_words_what_it_shows():
    root = drawn()
    assert root.find(f"{svg}title").text == "A < B"
    assert root.find(f"{svg}desc").text == "level (mg/L) against time (h): level."


def test_a_line_runs_from_corner_to_corner_when_its_values_do():
    paths = [p.get("d") for p in drawn().findall(f"{svg}path")]
    assert "M64.0 312.0L624.0 56.0" in paths


def test_what_is_not_finite_is_left_out():
    root = drawn(points=[("seen", [1.0, 2.0], [np.nan, 2.0])])
    assert len(root.findall(f"{svg}g/{svg}circle")) == 1


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="nothing to draw"):
        chart("none", "x", "y", [("a", [np.nan], [1.0])])
