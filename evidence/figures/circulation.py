"""A litre of blood lost in two minutes, with and without the baroreflex."""

from dataclasses import replace

import numpy as np

from evidence.figures.chart import chart
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.physiology import circulation
from medtwin.record import codes


def draw() -> str:
    """Mean arterial pressure and heart rate against time."""
    times = np.arange(0.0, 601.0, 10.0)
    bleeding = [Given(120.0, codes.blood_lost, 1000.0, 120.0)]
    adult = circulation.Parameters()
    whole = simulate(circulation.model, adult, None, bleeding, times)
    without = replace(adult, sensitivity=0.0)
    weak = simulate(circulation.model, without, None, bleeding, times)
    minutes = times[3:] / 60
    lines = [
        ("pressure, mmHg", minutes, whole.of(codes.mean_arterial)[3:, 0]),
        ("pressure without reflex, mmHg", minutes, weak.of(codes.mean_arterial)[3:, 0]),
        ("heart rate, /min", minutes, whole.of(codes.heart_rate)[3:, 0]),
    ]
    title = "A litre of blood lost between minutes 2 and 4"
    return chart(title, "time (min)", "mmHg; beats per minute", lines)
