"""How an abdominal aorta widens over the years, stage by stage.

Stages by the aorta's diameter: below 30 mm, 30 to 44, 45 to 54, 55 and over (when repair is
offered). Each is left for the next at a yearly rate; states are the chances of the stages.

    p1' = -a p1    p2' = a p1 - b p2    p3' = b p2 - c p3    p4' = c p3

Couto et al. (2002), J Med Screen 9:40: 0.018 (0.014 to 0.023), 0.16 (0.12 to 0.20) and 0.49
(0.35 to 0.70) a year, 2,342 men of 65 to 80 of the Chichester trial; men over 70 have about three
times the rates of younger ones. Scans can be mistaken (Jackson 2003, The Statistician 52:193):
`believing_mistakes` are the rates, and `mistaken` the chances, fitted together to the 838 men of
that paper (`python -m evidence.models --only aneurysm`); what looks like growth is then partly
error, and the rates of aneurysms are lower.
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

couto = "Couto 2002, spread from its 95 % interval"

# how often an ultrasound shows a neighbouring stage; rows are the true one
mistaken: Float[np.ndarray, "4 4"] = np.array(
    [
        [0.9903, 0.0097, 0.0, 0.0],
        [0.0815, 0.8848, 0.0337, 0.0],
        [0.0, 0.0391, 0.9048, 0.0561],
        [0.0, 0.0, 0.0877, 0.9123],
    ]
)
believing_mistakes = {"widens": 0.0217, "grows": 0.0636, "swells": 0.257}


@dataclass(frozen=True)
class Parameters:
    """One man's aorta: the stage of his last scan, and how fast stages are left."""

    stage: Any = varies(1.0, unit="1", cv=0.0, low=1.0, high=4.0, source="seen at the last scan")
    widens: Any = varies(
        0.018, unit="/a", cv=0.13, low=0.002, high=0.2, source=f"from below 30 mm; {couto}"
    )
    grows: Any = varies(
        0.16, unit="/a", cv=0.13, low=0.02, high=1.0, source=f"from 30 to 44 mm; {couto}"
    )
    swells: Any = varies(
        0.49, unit="/a", cv=0.18, low=0.05, high=3.0, source=f"from 45 to 54 mm; {couto}"
    )


def intensities(p: Any) -> Float[np.ndarray, "*batch 4 4"]:
    """The matrix of yearly rates."""
    return generator(4, {(0, 1): p.widens, (1, 2): p.grows, (2, 3): p.swells})


def stage_of(diameter: float) -> int:
    """The stage (0 to 3) of an aorta of so many mm. Raises ValueError for one that cannot be."""
    if not 5.0 <= diameter <= 200.0:
        raise ValueError(f"an aorta of {diameter:g} mm; 5 to 200 mm are possible; is it in cm?")
    return sum(diameter >= edge for edge in (30.0, 45.0, 55.0))


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
    normal, mild, moderate, _ = x
    return (
        -p.widens * normal,
        p.widens * normal - p.grows * mild,
        p.grows * mild - p.swells * moderate,
        p.swells * moderate,
    )


def take(x: tuple[Any, ...], code: Code, amount: Any, p: Any) -> tuple[Any, ...]:
    """Nothing is given."""
    return x


def observe(x: tuple[Any, ...], p: Any) -> Mapping[Code, Any]:
    """The chances that matter: an aneurysm, and one to be repaired."""
    return {codes.aneurysm_any: 100.0 * (1.0 - x[0]), codes.aneurysm_large: 100.0 * x[3]}


model = Model(
    name="abdominal aortic aneurysm",
    reference="Couto 2002, J Med Screen 9:40; Jackson 2003, The Statistician 52:193",
    states=("below 30 mm", "30 to 44 mm", "45 to 54 mm", "55 mm and over"),
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
    trust="men of 65 to 80 in England in the 1990s; no deaths of other causes, no rupture",
)
