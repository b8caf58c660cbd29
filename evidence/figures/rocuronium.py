"""Rocuronium 0.6 mg/kg: the ratio, the count and the post-tetanic count, each as a share."""

import numpy as np

from evidence.figures.chart import chart
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.physiology import rocuronium
from medtwin.record import codes


def draw() -> str:
    """What the nerve stimulator shows of a person of 43 years and 70 kg."""
    minutes = np.arange(0.0, 121.0, 0.5)
    p = rocuronium.Parameters(age=43.0, weight=70.0, sevoflurane=0.0)
    run = simulate(rocuronium.model, p, None, [Given(0.0, codes.rocuronium, 42.0)], minutes)
    lines = [
        ("train-of-four ratio", minutes, run.of(codes.train_of_four)[:, 0]),
        ("train-of-four count / 4", minutes, run.of(codes.train_of_four_count)[:, 0] / 4),
        ("post-tetanic count / 15", minutes, run.of(codes.post_tetanic_count)[:, 0] / 15),
    ]
    return chart("Rocuronium 0.6 mg/kg, 70 kg", "time (min)", "share of full response", lines)
