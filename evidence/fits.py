"""How long it takes to fit people: one type 1 day, and a thousand people.

    python -m evidence.fits

Five parameters of the type 1 model (fasting glucose, two of insulin's effects, two of its and
the meal's times) from a day of 5-minute readings, two meals and their boluses. The peer is scipy's
least squares on the same posterior with one engine call for each difference quotient.
"""

import time
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import least_squares

from medtwin.engine.model import sample
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.physiology import type1
from medtwin.record import codes
from medtwin.twin.cohort import Person, cohort
from medtwin.twin.map_fit import Error, foreseen, individual, individuals
from medtwin.twin.prior import Prior, prior_of

free = ("fasting_glucose", "kp3", "Vmx", "kabs", "p2u")
minutes = np.arange(0.0, 1441.0, 5.0)
noise = 3.0
error = {codes.glucose: Error(noise)}


@dataclass(frozen=True)
class Timing:
    """Seconds for so many people, how many of their fits converged, and the mean distance of
    the parameters from the truth, in standard errors."""

    seconds: float
    people: int
    converged: int
    off: float


def days(people: int, seed: int = 1) -> tuple[list[Person], type1.Parameters]:
    """A day of so many people who differ in the five parameters, and their truth."""
    drawn = sample(type1.Parameters, people, np.random.default_rng(seed))
    truth = replace(type1.Parameters(), **{n: getattr(drawn, n) for n in free})
    basal = np.broadcast_to(type1.basal(truth), people)
    plan = [
        Given(0.0, codes.insulin_basal, basal, np.inf),
        Given(420.0, codes.carbohydrate, 60.0, 15.0),
        Given(420.0, codes.insulin_bolus, 6.0),
        Given(780.0, codes.carbohydrate, 80.0, 20.0),
        Given(780.0, codes.insulin_bolus, 7.0),
    ]
    seen = simulate(type1.model, truth, None, plan, minutes).of(codes.glucose)
    seen = seen + noise * np.random.default_rng(seed + 1).standard_normal(seen.shape)
    return [
        Person(
            f"p{i}",
            (replace(plan[0], amount=float(basal[i])), *plan[1:]),
            {codes.glucose: (minutes, seen[:, i])},
        )
        for i in range(people)
    ], truth


def timed(people: int, again: int = 1) -> Timing:
    """The best of so many runs, the kernel compiled and warm."""
    persons, truth = days(people)
    individual(type1.model, persons[0], free, error)
    took, fits = [], ()
    for _ in range(again):
        began = time.perf_counter()
        fits = individuals(type1.model, persons, free, error)
        took.append(time.perf_counter() - began)
    off = [
        abs(np.log(fit.values[n] / getattr(truth, n)[i])) / fit.errors[n]
        for i, fit in enumerate(fits)
        for n in free
        if fit.converged
    ]
    return Timing(min(took), people, sum(f.converged for f in fits), float(np.mean(off)))


def by_scipy(again: int = 3) -> float:
    """Seconds that scipy's least squares takes for one person, one difference at a time."""
    person, prior = days(1)[0][0], prior_of(type1.model, free)
    took = []
    for _ in range(again):
        began = time.perf_counter()
        least_squares(_misses, prior.centre[:, 0], args=(person, prior), method="lm")
        took.append(time.perf_counter() - began)
    return min(took)


def _misses(place: np.ndarray, person: Person, prior: Prior) -> np.ndarray:
    everybody = cohort(type1.model, [person], free)
    f = foreseen(everybody, prior, place[None, None])[:, 0]
    away = (place - prior.centre[:, 0]) / np.sqrt(np.diag(prior.spread))
    return np.append((everybody.values - f) / noise, away)


def main() -> None:
    """Print both times, beside their targets and scipy's."""
    one, peer, many = timed(1, 7), by_scipy(), timed(1000)
    print(
        f"five parameters of one day: {1000 * one.seconds:.1f} ms (target 50), scipy "
        f"{1000 * peer:.0f} ms, ratio {peer / one.seconds:.1f}"
    )
    print(
        f"{many.people} people: {many.seconds:.1f} s (target 30), {many.converged} converged, mean "
        f"{many.off:.2f} standard errors off the truth (0.80 is chance)"
    )


if __name__ == "__main__":
    main()
