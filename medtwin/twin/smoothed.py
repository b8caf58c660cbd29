"""What we now believe about past days, every reading before and after taken into account.

Where chance moves a model, by the iterated smoother on sigma points; where nothing does, all
of its past follows from its beginning, which members learn from all readings at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from jaxtyping import Float

from medtwin.maths.filters.filter import Array, Dynamics, Reading
from medtwin.maths.filters.smoothing import iterated, learned_again
from medtwin.record.record import Record
from medtwin.twin.filters import heard_all, readings
from medtwin.twin.living import Sensor, Unknowns, believed, dynamics, life, members, unknowns
from medtwin.twin.random import stream
from medtwin.twin.timeline import of_record
from medtwin.twin.twin import Twin


@dataclass(frozen=True)
class Past:
    """Mean and standard deviation of each unknown at each time (UTC seconds), looking back."""

    what: Unknowns
    times: Float[np.ndarray, " time"]
    mean: Float[np.ndarray, "time unknown"]
    sd: Float[np.ndarray, "time unknown"]

    def of(self, name: str) -> Float[np.ndarray, "2 time"]:
        """Mean and sd of one unknown; a positive parameter as its logarithm."""
        row = self.what.names.index(name)
        return np.stack([self.mean[:, row], self.sd[:, row]])


def smoothed(
    twin: Twin,
    record: Record,
    until: datetime,
    sensor: Sensor | None = None,
    rounds: int = 4,
    longest: float = 900.0,
) -> Past:
    """The past from the twin's own time to `until`, in the light of all its record.

    The twin is a checkpoint from before. Gaps are crossed in pieces of at most `longest` seconds.
    Outliers are not believed less here, as they are in the filter: drop them first.
    """
    by = until.timestamp()
    timeline = of_record(twin.model, record, twin.at, by)
    what = unknowns(twin, sensor)
    moves = dynamics(what, life(twin, timeline))
    seen = heard_all(twin.model, readings(timeline, twin.at, longest))
    if moves.chances:
        beliefs = iterated(moves, believed(twin, what), seen, rounds)
        mean, covariance = zip(*((b.mean, np.diag(b.covariance)) for b in beliefs), strict=True)
        return _past(what, twin.at, seen, np.stack(mean), np.stack(covariance))
    rng = stream(twin.seed, twin.patient, twin.model.name, twin.at, "smoothed")
    begun = _begun(moves, twin, what, seen, rounds, rng)
    course = np.stack(list(_lived(moves, twin.at, begun, seen)))
    return _past(what, twin.at, seen, course.mean(axis=2), course.var(axis=2, ddof=1))


def _past(what: Unknowns, at: float, seen: Sequence[Reading], mean: Array, variance: Array) -> Past:
    times = np.array([at, *(r.at for r in seen)])
    return Past(what, times, mean, np.sqrt(np.maximum(variance, 0.0)))


def _begun(
    moves: Dynamics,
    twin: Twin,
    what: Unknowns,
    seen: Sequence[Reading],
    rounds: int,
    rng: np.random.Generator,
) -> Array:
    """The members at the beginning, once they have learned every reading."""
    z = members(twin, what)
    told = [k for k, r in enumerate(seen) if not np.isnan(r.value)]
    errors = np.array([moves.error(z, seen[k].which).mean() for k in told])

    def course(z: Array) -> Array:
        path = list(_lived(moves, twin.at, z, seen))[1:]
        return np.stack([moves.shown(path[k], seen[k].which) for k in told])

    values = np.array([seen[k].value for k in told])
    return learned_again(z, course, values, errors, rng, rounds)


def _lived(moves: Dynamics, at: float, z: Array, seen: Sequence[Reading]) -> list[Array]:
    path, still = [z], np.zeros((moves.chances, z.shape[1]))
    for r in seen:
        z = moves.moved(z, still, at, r.at) if r.at > at else z
        at = r.at
        path.append(z)
    return path
