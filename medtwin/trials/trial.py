"""A trial run on a virtual population: who gets which arm, when we look, and when it stops."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Integer

from medtwin.record.observation import Observation
from medtwin.twin.twin import Twin

Outcomes = Mapping[str, Float[np.ndarray, " _people"]]
"""Values by arm; the arms need not be equally long, so the axis is not bound."""
Arm = Sequence[Observation]
"""What is done to everybody in it: a plan, facts not made yet."""
Measure = Callable[[Twin, Sequence[Observation]], Float[np.ndarray, " person"]]
"""The outcome of each member of a population under a plan."""


@dataclass(frozen=True)
class Stopped:
    """A design ends the trial: at which look, and why."""

    look: int
    because: str


@dataclass(frozen=True)
class Design:
    """The decisions a design makes; everything else is the same for every design.

    `blocks` are how many people are enrolled before each look. `allocate(seen, people, rng)`
    gives each newcomer the place of an arm; `stop(look, seen)` ends the trial or lets it go on.
    """

    name: str
    reference: str
    blocks: tuple[int, ...]
    allocate: Callable[[Outcomes, int, np.random.Generator], Integer[np.ndarray, " person"]]
    stop: Callable[[int, Outcomes], Stopped | None]


@dataclass(frozen=True)
class Result:
    """What a trial found: each arm's outcomes, how many looks it took, and why it ended."""

    outcomes: Outcomes
    enrolled: int
    stopped: Stopped


class TooFew(ValueError):
    """The population is smaller than the design enrols."""


def run(
    population: Twin,
    arms: Mapping[str, Arm],
    design: Design,
    measure: Measure,
    rng: np.random.Generator,
) -> Result:
    """Enrol block by block, treat by plan, look after each. A population is a twin of nobody.

    Each member is one virtual person, in random order, who gets one arm. Raises TooFew.
    """
    needed = sum(design.blocks)
    if population.members < needed:
        raise TooFew(
            f"{design.name} enrols up to {needed} people and this population has "
            f"{population.members}; draw more members or choose smaller blocks"
        )
    order, seen, enrolled = rng.permutation(population.members), nobody_yet(arms), 0
    for look, block in enumerate(design.blocks, start=1):
        people = order[enrolled : enrolled + block]
        seen = treated(population, arms, people, design.allocate(seen, block, rng), seen, measure)
        enrolled += block
        if stopped := design.stop(look, seen):
            return Result(seen, enrolled, stopped)
    last = Stopped(len(design.blocks), "everyone was enrolled and no boundary was crossed")
    return Result(seen, enrolled, last)


def nobody_yet(arms: Mapping[str, Arm]) -> dict[str, Float[np.ndarray, " _people"]]:
    """Each arm before its first patient."""
    return {name: np.empty(0) for name in arms}


def treated(
    population: Twin,
    arms: Mapping[str, Arm],
    people: Integer[np.ndarray, " person"],
    given: Integer[np.ndarray, " person"],
    seen: Outcomes,
    measure: Measure,
) -> dict[str, Float[np.ndarray, " _people"]]:
    """The outcomes with this block's in them."""
    after = dict(seen)
    for place, (name, plan) in enumerate(arms.items()):
        group = people[given == place]
        if len(group):
            after[name] = np.append(after[name], measure(some(population, group), plan))
    return after


def some(population: Twin, who: Integer[np.ndarray, " person"]) -> Twin:
    """These people out of a population."""
    return replace(
        population,
        states=population.states[:, who],
        parameters=population.parameters[:, who],
        running=population.running[:, who],
        spread=None if population.spread is None else population.spread[:, :, who],
        regimes=None if population.regimes is None else population.regimes[who],
        carried=None,
    )
