"""Tacrolimus: the same capsules at two haematocrits, and in a carrier of CYP3A5*1."""

from dataclasses import replace

import numpy as np

from evidence.figures.chart import chart
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.physiology import tacrolimus
from medtwin.record import codes

usual = tacrolimus.Parameters(
    weight=78.6, height=175.0, female=0.0, expresser=0.0, haematocrit=40.0, prednisolone=10.0
)
people = {
    "haematocrit 40 %": usual,
    "haematocrit 25 %": replace(usual, haematocrit=25.0),
    "CYP3A5*1, haematocrit 40 %": replace(usual, expresser=1.0),
}


def draw() -> str:
    """Levels in whole blood over the last day of a fortnight."""
    hours = np.arange(312.0, 336.1, 0.25)
    plan = [Given(12.0 * k, codes.tacrolimus, 4.0) for k in range(28)]
    lines = []
    for label, p in people.items():
        run = simulate(tacrolimus.model, p, None, plan, np.append(0.0, hours))
        lines.append((label, hours - 312.0, run.of(codes.tacrolimus_level)[1:, 0]))
    title = "Tacrolimus 4 mg twice daily, the fourteenth day"
    return chart(title, "time (h)", "level in whole blood (ug/L)", lines)
