"""Theophylline twice a day: from the first dose, and as somebody who has long taken it."""

import numpy as np

from evidence.figures.chart import chart
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.engine.steady_state import steady_state
from medtwin.physiology import pk_one
from medtwin.record import codes


def draw() -> str:
    """Two days of levels."""
    hours, p = np.linspace(0.0, 48.0, 481), pk_one.Parameters()
    doses = [Given(12.0 * n, codes.drug_swallowed, 300.0) for n in range(4)]
    long = steady_state(pk_one.model, p, doses[0], 12.0)
    runs = {"first doses": None, "taken for long": long}
    lines = [
        (name, hours, simulate(pk_one.model, p, x0, doses, hours).of(codes.drug_level)[:, 0])
        for name, x0 in runs.items()
    ]
    title = "Theophylline 300 mg every 12 h, a typical adult of 70 kg"
    return chart(title, "time (h)", "level (mg/L)", lines)
