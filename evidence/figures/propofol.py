"""Propofol: 2 mg/kg and an infusion for an hour, in three bodies."""

import numpy as np

from evidence.figures.chart import chart
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.physiology import propofol
from medtwin.record import codes

bodies = {
    "child of 3 years, 15 kg": (3.0, 15.0, 96.0),
    "man of 35, 70 kg": (35.0, 70.0, 170.0),
    "man of 80, 70 kg": (80.0, 70.0, 170.0),
}


def draw() -> str:
    """The level in each, with an opioid."""
    minutes = np.arange(0.0, 121.0, 1.0)
    lines = []
    for label, (age, weight, height) in bodies.items():
        p = propofol.Parameters(age=age, weight=weight, height=height, female=0.0, opioid=1.0)
        plan = [
            Given(0.0, codes.propofol, 2.0 * weight),
            Given(0.0, codes.propofol_rate, 0.1 * weight, 60.0),
        ]
        run = simulate(propofol.model, p, None, plan, minutes)
        lines.append((label, minutes[1:], run.of(codes.propofol_level)[1:, 0]))
    title = "Propofol: 2 mg/kg, then 0.1 mg/kg/min for an hour, with an opioid"
    return chart(title, "time (min)", "level in plasma (mg/L)", lines)
