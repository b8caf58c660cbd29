"""Vasculopathy of transplanted hearts: the worked example of the package msm, fitted anew."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from evidence.models.line import Line
from medtwin.engine.stage_scans import likeliest
from medtwin.engine.stages import Panel

name = "transplant_vasculopathy"
printed = {
    (0, 1): 0.12787,
    (0, 3): 0.04250,
    (1, 0): 0.22512,
    (1, 2): 0.34261,
    (1, 3): 0.04021,
    (2, 1): 0.13062,
    (2, 3): 0.30648,
}


def lines(shared: Path) -> Iterator[Line]:
    """Intensities and deviance, looks true and looks that may be mistaken."""
    place = shared / "data" / "msm_multistate" / "cav.csv.gz"
    table = np.genfromtxt(place, delimiter=",", names=True, dtype=None, encoding="utf-8")
    panel = Panel(table["PTNUM"], table["years"], table["state"] - 1, table["state"] == 4)
    data = f"msm cav: {len(np.unique(panel.person))} recipients, {len(panel.at)} looks"
    fit = likeliest(4, dict.fromkeys(printed, 0.2), panel)
    off = max(abs(fit.rates[m] / value - 1) for m, value in printed.items())
    yield Line(
        *(name, "seven intensities fitted, largest difference from those printed", 100 * off, "%"),
        *("Jackson 2011 (msm)", 0.0, "at most 1 %", off < 0.01, data),
    )
    yield Line(
        *(name, "-2 log-likelihood", fit.deviance, "1", "msm", 3968.798, "within 0.001"),
        *(abs(fit.deviance - 3968.798) < 1e-3, data),
    )
    wrong = likeliest(
        *(4, {(0, 1): 0.15, (0, 3): 0.02, (1, 2): 0.2, (1, 3): 0.08, (2, 3): 0.13}, panel),
        dict.fromkeys([(0, 1), (1, 0), (1, 2), (2, 1)], 0.1),
        np.array([1.0, 0.0, 0.0, 0.0]),
    )
    yield Line(
        *(name, "-2 log-likelihood, looks may be mistaken", wrong.deviance, "1", "msm"),
        *(3951.82919869, "within 0.001", abs(wrong.deviance - 3951.82919869) < 1e-3, data),
        note=f"mild disease is seen as none with a chance of {wrong.mistaken[1, 0]:.2f}",
    )
