"""HbA1c after glucose changes for good, in people whose red cells live shorter or longer."""

import numpy as np

from evidence.figures.chart import chart
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.physiology import hba1c
from medtwin.record import codes


def draw() -> str:
    """HbA1c against days since glucose fell from 200 to 130 mg/dL."""
    days = np.arange(0.0, 181.0, 2.0)
    p = hba1c.Parameters(usual_glucose=200.0, mean_age=np.array([58.7, 50.0, 67.0]))
    lower = [Given(0.0, codes.glucose, 130.0, np.inf)]
    run = simulate(hba1c.model, p, None, lower, days).of(codes.hba1c)
    said = ("red cells 59 days old", "50 days", "67 days")
    lines = [(label, days, run[:, k]) for k, label in enumerate(said)]
    title = "HbA1c after mean glucose falls from 200 to 130 mg/dL"
    return chart(title, "time (days)", "HbA1c (%)", lines)
