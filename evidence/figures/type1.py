"""A meal of 60 g on the way through the body: stomach, gut, blood."""

import numpy as np

from evidence.figures.chart import chart
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.physiology import type1
from medtwin.record import codes


def draw() -> str:
    """Grams where they are against minutes since the meal."""
    p = type1.Parameters()
    plan = [
        Given(0.0, codes.insulin_basal, float(type1.basal(p)), np.inf),
        Given(0.0, codes.carbohydrate, 60.0, 15.0),
    ]
    minutes = np.arange(0.0, 421.0, 10.0)
    states = np.array(
        [simulate(type1.model, p, None, plan, [0.0, t]).states[:3, 0] for t in minutes[1:]]
    )
    states = np.vstack([np.zeros(3), states]) / 1000.0
    stomach, gut = states[:, 0] + states[:, 1], states[:, 2]
    eaten = 60.0 * np.minimum(minutes / 15.0, 1.0)
    lines = [
        ("stomach", minutes, stomach),
        ("gut", minutes, gut),
        ("absorbed", minutes, eaten - stomach - gut),
    ]
    return chart("60 g of carbohydrate on its way", "time (min)", "carbohydrate (g)", lines)
