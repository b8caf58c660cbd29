"""Aneurysms: the published rates, scans that may be mistaken, and the next scan foretold."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from evidence.models.line import Line
from medtwin.engine.simulate import simulate
from medtwin.engine.stage_scans import after_scan, later, likeliest
from medtwin.engine.stages import Panel, generator
from medtwin.physiology import aneurysm
from medtwin.record import codes

name = "aneurysm"
couto = {(0, 1): (0.018, 0.014, 0.023), (1, 2): (0.16, 0.12, 0.20), (2, 3): (0.49, 0.35, 0.70)}
begin = {move: told[0] for move, told in couto.items()}
mistakes = {(0, 1): 0.03, (1, 0): 0.05, (1, 2): 0.05, (2, 1): 0.05, (2, 3): 0.05, (3, 2): 0.1}
back = {(1, 0): 0.05, (2, 1): 0.1, (3, 2): 0.1}
well = np.array([1.0, 0.0, 0.0, 0.0])


def men(shared: Path) -> Panel:
    """Every scan of the 838 men; the first row of each says that he was well at 60."""
    place = shared / "data" / "msm_multistate" / "aneur.csv.gz"
    table = np.genfromtxt(place, delimiter=",", names=True, dtype=None, encoding="utf-8")
    return Panel(table["ptnum"], table["age"], table["state"] - 1, np.zeros(len(table), bool))


def some(panel: Panel, rows: Any) -> Panel:
    """These looks only."""
    return Panel(*(x[rows] for x in (panel.person, panel.at, panel.seen, panel.entered)))


def lines(shared: Path) -> Iterator[Line]:
    """Published chances, fitted rates, and the next scan."""
    for stage, years, percent in ((1, 15, 12.0), (3, 5, 91.0)):
        p = aneurysm.Parameters(stage=stage)
        run = simulate(aneurysm.model, p, None, [], [0.0, years]).of(codes.aneurysm_large)
        found = float(run[1, 0])
        yield Line(
            *(name, f"chance of 55 mm or more {years} years after stage {stage}", found, "%"),
            *("Couto 2002", percent, "within 1 %", abs(found - percent) < 1.0),
        )
    panel = men(shared)
    data = f"msm aneur: {len(np.unique(panel.person))} men, {len(panel.at)} looks"
    fit = likeliest(4, begin, panel, mistakes, well)
    two = likeliest(4, {**begin, **back}, some(panel, panel.at > 60.5))
    for move, (value, low, high) in couto.items():
        ours = fit.rates[move]
        yield Line(
            *(
                name,
                f"yearly rate from stage {move[0] + 1} to {move[1] + 1}, scans may be mistaken",
            ),
            *(ours, "/a", "Couto 2002, other men of the trial, no mistakes", value),
            *("inside its 95 % interval", low < ours < high, data),
            f"published interval {low:g} to {high:g}; with true scans that also go back "
            f"{two.rates[move]:.3f}; the 838 men are not the 2,342 of the paper",
        )
    yield next_scan(panel, data)


def next_scan(panel: Panel, data: str) -> Line:
    """Half of the men teach; each next scan of the other half is foretold from those before."""
    teaches = np.isin(panel.person, np.unique(panel.person)[::2])
    taught = some(panel, teaches)
    fit = likeliest(4, begin, taught, mistakes, well)
    plain = likeliest(4, {**begin, **back}, taught)
    ways = {
        "mistaken": (generator(4, fit.rates), fit.mistaken),
        "true": (generator(4, plain.rates), np.eye(4)),
    }
    scores = {way: scored(some(panel, ~teaches), *told) for way, told in ways.items()}
    counts = np.bincount(taught.seen, minlength=4) / len(taught.seen)
    share = float(np.mean(-np.log(counts[some(panel, ~teaches).seen])))
    return Line(
        *(name, "next scan foretold, mean log loss", float(np.mean(scores["mistaken"])), "nat"),
        *("last scan taken as true", float(np.mean(scores["true"])), "below it"),
        bool(np.mean(scores["mistaken"]) < np.mean(scores["true"])),
        data,
        f"{len(scores['true'])} scans of men who taught nothing; stage shares alone {share:.3f}",
    )


def scored(panel: Panel, q: Any, looks: Any) -> list[float]:
    """The log loss of each next scan, man by man."""
    losses: list[float] = []
    belief, who, before = well, None, 0.0
    for person, at, seen in zip(panel.person, panel.at, panel.seen, strict=True):
        if person != who:
            belief = well
        else:
            belief = later(belief, q, float(at - before))
            losses.append(-float(np.log(belief @ looks[:, seen])))
        belief, who, before = after_scan(belief, int(seen), looks), person, at
    return losses
