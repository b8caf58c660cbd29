"""Adults with type 1 diabetes who do not exist: drawn, dosed and tried for a normal day."""

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float

from medtwin.engine.model import sample
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import Simulated, parameter_array, simulate
from medtwin.physiology import type1
from medtwin.record import codes

People = Float[np.ndarray, " person"]

breakfast, lunch, supper = (420.0, 50.0), (720.0, 70.0), (1140.0, 70.0)
test_meal = 50.0
test_hours = 5.0


class NobodyLeft(RuntimeError):
    """The draw gave too few people who get through a normal day."""


@dataclass(frozen=True)
class VirtualPeople:
    """So many adults: their physiology, and the pump settings that suit each.

    `basal` in U/h holds the fasting glucose, `correction` is the fall of glucose per unit
    (mg/dL/U), `ratio` the carbohydrate one unit covers (g/U).
    """

    parameters: type1.Parameters
    basal: People
    correction: People
    ratio: People

    def __len__(self) -> int:
        return len(self.basal)

    def only(self, which: Bool[np.ndarray, " person"] | slice) -> "VirtualPeople":
        """These people alone."""
        kept = {f.name: getattr(self.parameters, f.name)[which] for f in fields(self.parameters)}
        p = type1.Parameters(**kept)
        return VirtualPeople(p, self.basal[which], self.correction[which], self.ratio[which])


def people(n: int, rng: np.random.Generator) -> VirtualPeople:
    """Draw `n` adults who are plausible and get through a normal day.

    Plausible: correction factor 5 to 150 mg/dL/U, carbohydrate ratio 2 to 50 g/U, insulin
    0.2 to 1.5 U/kg a day, glucose between 40 and 400 mg/dL all day with meals bolused by
    their own ratio. Raises NobodyLeft if 20 draws are not enough.
    """
    found: list[VirtualPeople] = []
    for _ in range(20):
        drawn = settled(sample(type1.Parameters, 2 * n + 16, rng))
        found.append(drawn.only(plausible(drawn)))
        if sum(len(f) for f in found) >= n:
            return joined(found).only(slice(0, n))
    raise NobodyLeft(f"of {20 * (2 * n + 16)} drawn adults fewer than {n} are plausible")


def settled(p: type1.Parameters) -> VirtualPeople:
    """These people with the pump settings that suit them, found by trying.

    The correction is the deepest fall after 1 U; the ratio is that of the dose which has
    glucose back where it was five hours after a meal of 50 g.
    """
    rate = np.broadcast_to(type1.basal(p), parameter_array(type1.model, p).shape[1])
    unit = _course(p, rate, [Given(0.0, codes.insulin_bolus, 1.0)])
    correction = np.max(unit[0] - unit, axis=0)
    return VirtualPeople(p, rate, correction, test_meal / _covering(p, rate))


def _covering(p: type1.Parameters, rate: People) -> People:
    """The dose (U) that covers the test meal, by halving the interval."""
    few, many = np.full(len(rate), 0.1), np.full(len(rate), 40.0)
    for _ in range(14):
        dose = (few + many) / 2
        meal = Given(0.0, codes.carbohydrate, test_meal, 15.0)
        course = _course(p, rate, [meal, Given(0.0, codes.insulin_bolus, dose)])
        too_low = course[-1] < course[0]
        few, many = np.where(too_low, few, dose), np.where(too_low, dose, many)
    return (few + many) / 2


def plausible(drawn: VirtualPeople) -> Bool[np.ndarray, " person"]:
    """Who has settings as adults have them, and stays between 40 and 400 mg/dL all day."""
    eaten = sum(grams for _, grams in (breakfast, lunch, supper))
    daily = (24 * drawn.basal + eaten / drawn.ratio) / drawn.parameters.weight
    usual = (drawn.correction > 5) & (drawn.correction < 150)
    usual &= (drawn.ratio > 2) & (drawn.ratio < 50) & (daily > 0.2) & (daily < 1.5)
    glucose = normal_day(drawn).of(codes.glucose)
    return usual & (glucose.min(axis=0) > 40) & (glucose.max(axis=0) < 400)


def normal_day(drawn: VirtualPeople) -> Simulated:
    """Three meals eaten over 15 min, each with its bolus, and the basal rate all day."""
    given = [Given(0.0, codes.insulin_basal, drawn.basal, np.inf)]
    for at, grams in (breakfast, lunch, supper):
        given.append(Given(at, codes.carbohydrate, grams, 15.0))
        given.append(Given(at, codes.insulin_bolus, grams / drawn.ratio))
    return simulate(type1.model, drawn.parameters, None, given, np.arange(0.0, 1441.0, 5.0))


def joined(groups: list[VirtualPeople]) -> VirtualPeople:
    """Everybody in one group."""
    named = [f.name for f in fields(type1.Parameters)]
    p = type1.Parameters(
        **{n: np.concatenate([getattr(g.parameters, n) for g in groups]) for n in named}
    )
    basal, correction, ratio = (
        np.concatenate([getattr(g, n) for g in groups]) for n in ("basal", "correction", "ratio")
    )
    return VirtualPeople(p, basal, correction, ratio)


def _course(
    p: type1.Parameters, rate: People, given: list[Given]
) -> Float[np.ndarray, "time person"]:
    steady = Given(0.0, codes.insulin_basal, rate, np.inf)
    times = np.arange(0.0, 60 * test_hours + 1, 15.0)
    return simulate(type1.model, p, None, [steady, *given], times).of(codes.glucose)
