"""Two men on the same intermittent treatment: one stays sensitive, one becomes resistant."""

from dataclasses import replace

import numpy as np

from evidence.figures.chart import chart
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.physiology import psa
from medtwin.record import codes


def draw() -> str:
    """PSA over four cycles of nine months on and eleven months off."""
    days = np.arange(0.0, 2401.0, 10.0)
    plan = [Given(600.0 * k, codes.androgen_suppression, 100.0, 270.0) for k in range(4)]
    lines = []
    for said, renewal in (("stays sensitive", 0.0084), ("becomes resistant", 0.03)):
        p = replace(psa.Parameters(), renewal=renewal)
        lines.append((said, days / 365.25, simulate(psa.model, p, None, plan, days).of(codes.psa)))
    told = [(said, x, y[:, 0]) for said, x, y in lines]
    return chart("PSA, androgen suppressed 9 of 20 months", "time (years)", "PSA (ng/mL)", told)
