"""One dose of warfarin: level and prothrombin activity of ten people drawn from the population."""

import numpy as np

from evidence.figures.chart import chart
from medtwin.engine.model import sample
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.physiology import warfarin
from medtwin.record import codes


def draw() -> str:
    """The median person, and where 9 of 10 people lie."""
    hours = np.arange(0.0, 145.0, 2.0)
    p = sample(warfarin.Parameters, 1000, np.random.default_rng(0))
    run = simulate(warfarin.model, p, None, [Given(0.0, codes.warfarin, 1.5 * p.weight)], hours)
    low, middle, high = np.quantile(run.of(codes.prothrombin_activity), [0.05, 0.5, 0.95], axis=1)
    level = np.median(run.of(codes.warfarin_level), axis=1)
    return chart(
        "Warfarin 1.5 mg/kg once, 1,000 virtual people",
        "hours after the dose",
        "prothrombin activity (%), level (mg/L)",
        [
            ("prothrombin activity, median (%)", hours, middle),
            ("level, median (mg/L)", hours, level),
        ],
        bands=[("activity of 9 in 10 people", hours, low, high)],
    )
