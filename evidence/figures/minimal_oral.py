"""The same drink and the same insulin in people of three sensitivities."""

import numpy as np

from evidence.figures.chart import chart
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.physiology import minimal_oral
from medtwin.physiology.minimal_ivgtt import insulin_line
from medtwin.record import codes


def draw() -> str:
    """Glucose after 75 g against time."""
    grid = np.arange(0.0, 181.0, 2.0)
    line = insulin_line([0.0, 30.0, 60.0, 120.0, 180.0], [10.0, 60.0, 70.0, 45.0, 15.0])
    plan = [Given(0.0, codes.carbohydrate, 75.0), *line]
    sensitivities = (1.0, 4.0, 12.0)
    p = minimal_oral.Parameters(sensitivity=np.array(sensitivities))
    run = simulate(minimal_oral.model, p, None, plan, grid).of(codes.glucose)
    lines = [(f"SI {s:g}e-4", grid, run[:, k]) for k, s in enumerate(sensitivities)]
    title = "75 g drunk, the same insulin, three sensitivities (per min per mU/L)"
    return chart(title, "time (min)", "glucose (mg/dL)", lines)
