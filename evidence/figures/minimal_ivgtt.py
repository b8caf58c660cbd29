"""The subject of MINMOD's example: the readings, and the minimal model through them."""

import numpy as np

from evidence.figures.chart import chart
from evidence.models.minimal_ivgtt import fitted, glucose, late, plan, times, told
from medtwin.engine.simulate import simulate
from medtwin.physiology import minimal_ivgtt
from medtwin.record import codes


def draw() -> str:
    """Glucose against time."""
    (fit,) = fitted([glucose[late]])
    grid = np.arange(0.0, 182.0, 1.0)
    p = minimal_ivgtt.Parameters(**told, **fit.values)
    course = simulate(minimal_ivgtt.model, p, None, plan, grid).of(codes.glucose)[1:, 0]
    title = "0.3 g/kg glucose into a vein (Pacini & Bergman 1986)"
    points = [("measured", times, glucose)]
    lines = [("minimal model, fitted from 8 min on", grid[1:], course)]
    return chart(title, "time (min)", "glucose (mg/dL)", lines, points)
