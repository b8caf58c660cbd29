"""The chance that repair is due, by the stage of the last scan."""

import numpy as np

from evidence.figures.chart import chart
from medtwin.engine.simulate import simulate
from medtwin.physiology import aneurysm
from medtwin.record import codes


def draw() -> str:
    """Chance of 55 mm or more against years since the scan."""
    years = np.arange(0.0, 15.1, 0.25)
    p = aneurysm.Parameters(stage=np.array([1.0, 2.0, 3.0]))
    run = simulate(aneurysm.model, p, None, [], years).of(codes.aneurysm_large)
    said = ("below 30 mm", "30 to 44 mm", "45 to 54 mm")
    lines = [(label, years, run[:, k]) for k, label in enumerate(said)]
    title = "Chance of an aorta of 55 mm or more, by the last scan"
    return chart(title, "time since the scan (years)", "chance (%)", lines)
