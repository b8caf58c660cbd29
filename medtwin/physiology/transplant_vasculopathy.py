"""How the arteries of a transplanted heart narrow over the years, and who dies.

Stages by yearly angiography: none, mild, severe, dead; states are their chances. Rates a year
(maximum likelihood, 622 recipients, 2,846 looks):

    none to mild 0.128, to death 0.0425;  mild to none 0.225, to severe 0.343, to death 0.0402;
    severe to mild 0.131, to death 0.306

Jackson (2011), J Stat Softw 38(8), the worked example of the package msm; Sharples et al. (2003),
Transplantation 76:679 (Papworth hospital). That mild disease goes is partly that angiography
is mistaken; with looks that may be (`evidence/models/transplant_vasculopathy.py`) nothing goes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from medtwin.engine.model import Model, varies
from medtwin.engine.stages import generator
from medtwin.maths.functions import where
from medtwin.record import codes
from medtwin.record.codes import Code

msm = "Jackson 2011, spread from its 95 % interval"


@dataclass(frozen=True)
class Parameters:
    """One recipient: the stage last seen, and the rates of each move."""

    stage: Any = varies(1.0, unit="1", cv=0.0, low=1.0, high=4.0, source="last angiography")
    begins: Any = varies(0.12787, unit="/a", cv=0.07, low=0.01, high=1.0, source=msm)
    dies_well: Any = varies(0.04250, unit="/a", cv=0.11, low=0.005, high=0.5, source=msm)
    recovers: Any = varies(0.22512, unit="/a", cv=0.15, low=0.01, high=2.0, source=msm)
    worsens: Any = varies(0.34261, unit="/a", cv=0.12, low=0.02, high=3.0, source=msm)
    dies_mild: Any = varies(0.04021, unit="/a", cv=0.7, low=0.002, high=1.0, source=msm)
    improves: Any = varies(0.13062, unit="/a", cv=0.26, low=0.01, high=2.0, source=msm)
    dies_severe: Any = varies(0.30648, unit="/a", cv=0.13, low=0.02, high=3.0, source=msm)


def intensities(p: Any) -> Float[np.ndarray, "*batch 4 4"]:
    """The matrix of yearly rates."""
    moves = {(0, 1): p.begins, (0, 3): p.dies_well, (1, 0): p.recovers, (1, 2): p.worsens}
    return generator(4, {**moves, (1, 3): p.dies_mild, (2, 1): p.improves, (2, 3): p.dies_severe})


def start(p: Any) -> tuple[Any, ...]:
    """Certain of the stage seen."""
    return (
        where(p.stage < 1.5, 1.0, 0.0),
        where(p.stage < 1.5, 0.0, where(p.stage < 2.5, 1.0, 0.0)),
        where(p.stage < 2.5, 0.0, where(p.stage < 3.5, 1.0, 0.0)),
        where(p.stage < 3.5, 0.0, 1.0),
    )


def drift(t: Any, x: tuple[Any, ...], u: tuple[Any, ...], p: Any) -> tuple[Any, ...]:
    """How the chances of the stages move (per year)."""
    none, mild, severe, _ = x
    begun, gone = p.begins * none, p.recovers * mild
    worse, better = p.worsens * mild, p.improves * severe
    died_well, died_mild, died_severe = (
        p.dies_well * none,
        p.dies_mild * mild,
        p.dies_severe * severe,
    )
    return (
        gone - begun - died_well,
        begun + better - gone - worse - died_mild,
        worse - better - died_severe,
        died_well + died_mild + died_severe,
    )


def take(x: tuple[Any, ...], code: Code, amount: Any, p: Any) -> tuple[Any, ...]:
    """Nothing is given."""
    return x


def observe(x: tuple[Any, ...], p: Any) -> Mapping[Code, Any]:
    """The chance of being alive, and of severe narrowing."""
    return {codes.chance_alive: 100.0 * (1.0 - x[3]), codes.vasculopathy_severe: 100.0 * x[2]}


model = Model(
    name="vasculopathy of a transplanted heart",
    reference="Jackson 2011, J Stat Softw 38(8)",
    states=("none", "mild", "severe", "dead"),
    units=("1", "1", "1", "1"),
    parameters=Parameters,
    inputs=(),
    channels=(),
    start=start,
    drift=drift,
    take=take,
    observe=observe,
    step=0.05,
    clock="a",
    trust="recipients of the 1980s and 1990s; rates that do not change with age or time",
)
