"""A crowd that any process can run: it is named by its module, and drawn by its members."""

import numpy as np
import washout

from medtwin.engine.scaled import drawn
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate

times = np.arange(0.0, 301.0, 30.0)


def run(members):
    p = drawn(washout.Parameters, members, seed=11)
    given = [Given(0.0, washout.drug, 100.0), Given(120.0, washout.infusion, 4.0, 60.0)]
    return simulate(washout.model, p, None, given, times)
