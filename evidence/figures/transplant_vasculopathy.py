"""Alive after a transplant, by the stage of the last angiography."""

import numpy as np

from evidence.figures.chart import chart
from medtwin.engine.simulate import simulate
from medtwin.physiology import transplant_vasculopathy
from medtwin.record import codes


def draw() -> str:
    """Chance of being alive against years."""
    years = np.arange(0.0, 15.1, 0.25)
    p = transplant_vasculopathy.Parameters(stage=np.array([1.0, 2.0, 3.0]))
    run = simulate(transplant_vasculopathy.model, p, None, [], years).of(codes.chance_alive)
    said = ("none", "mild", "severe")
    lines = [(label, years, run[:, k]) for k, label in enumerate(said)]
    title = "Alive after a heart transplant, by the vasculopathy last seen"
    return chart(title, "time since angiography (years)", "chance (%)", lines)
