"""Warfarin: the worked example, and whether a person's own first days foretell the later ones."""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from evidence.models.line import Line
from evidence.own_past import (
    Against,
    Foreseen,
    Split,
    divided,
    foretold,
    honest,
    last_seen,
    one_by_one,
    plainly_off,
    versus,
)
from medtwin.engine.schedule import Given
from medtwin.physiology import warfarin, warfarin_inr
from medtwin.record import codes
from medtwin.record.codes import Code
from medtwin.twin.cohort import Person
from medtwin.twin.map_fit import Error, individuals
from medtwin.twin.prior import Prior, prior_of

free = (
    *("clearance", "volume", "absorption_half_life", "lag"),
    *("normal", "half_effect", "turnover_half_life"),
)
error = {
    codes.warfarin_level: Error(additive=0.367, proportional=0.0691),
    codes.prothrombin_activity: Error(additive=3.73),
}
"""Residual variances of Nguyen 2017: 0.135 and 0.00478 of the level, 13.9 of the activity."""

shown = {"cp": codes.warfarin_level, "pca": codes.prothrombin_activity}


def people(shared: Path) -> list[Person]:
    """The 32 people, with everything that was given and read."""
    with (shared / "data" / "warfarin" / "warfarin_pkpd_32.csv").open() as text:
        rows = list(csv.DictReader(text))
    by = {name: [r for r in rows if r["id"] == name] for name in {r["id"] for r in rows}}
    return [_person(name, mine) for name, mine in sorted(by.items(), key=lambda kv: int(kv[0]))]


def _person(name: str, rows: list[dict[str, str]]) -> Person:
    given = [Given(float(r["time"]), codes.warfarin, float(r["amt"])) for r in rows]
    return Person(
        name,
        tuple(g for g in given if g.amount > 0),
        {code: _read(rows, dvid) for dvid, code in shown.items()},
        {"weight": float(rows[0]["wt"])},
        begin=0.0,
    )


def _read(rows: list[dict[str, str]], dvid: str) -> tuple[np.ndarray, np.ndarray]:
    mine = [r for r in rows if r["dvid"] == dvid and r["evid"] == "0"]
    times, values = (np.array([float(r[k]) for r in mine]) for k in ("time", "dv"))
    return times, values


def lines(shared: Path) -> Iterator[Line]:
    """Later levels and clotting of 32 people, foreseen from their first two days."""
    everybody = people(shared)
    prior = prior_of(warfarin.model, free)
    yield _medians(everybody, prior)
    yield _half_life()
    for name, splits in _ways(everybody):
        f = foretold(warfarin.model, splits, prior, error)
        for k, code in enumerate((codes.warfarin_level, codes.prothrombin_activity)):
            yield from _held(name, f.only(f.code == k), code, splits)


def _medians(everybody: list[Person], prior: Prior) -> Line:
    """Our fits of everybody's readings beside the published medians of the same people."""
    fits = individuals(warfarin.model, everybody, prior, error)
    named = ("clearance", "volume", "normal", "half_effect", "turnover_half_life")
    middle = warfarin.Parameters()
    off = {
        n: abs(np.exp(np.mean([np.log(f.values[n]) for f in fits])) / getattr(middle, n) - 1)
        for n in named
    }
    most = 100 * float(max(off.values()))
    return Line(
        *("warfarin", "medians of CL, V, E0, C50, turnover: largest difference", most, "%"),
        *("Nguyen 2017, NONMEM on the same people", 0.0, "at most 10 %", most <= 10.0),
        data=f"warfarin_pkpd_32: {len(everybody)} people",
        note="; ".join(f"{n} {100 * v:.1f} %" for n, v in off.items()),
    )


def _half_life() -> Line:
    p = warfarin_inr.Parameters(age=71.0, cyp2c9_2=0.0, cyp2c9_3=0.0)
    ours = float(warfarin_inr.clearance(p) / p.volume)
    return Line(
        *("warfarin and INR", "S-warfarin, no weak allele, 71 years: rate constant", ours, "/h"),
        *("Hamberg 2010 in another program (0.0243)", 0.0243, "within 1 %"),
        abs(ours / 0.0243 - 1) < 0.01,
    )


def _ways(everybody: list[Person]) -> list[tuple[str, list[Split]]]:
    """The last days from the first two, and each reading from all before it."""
    each = [s for p in everybody for s in one_by_one(p, 4)]
    return [("after 48 h", [divided(p, 48.0) for p in everybody]), ("next reading", each)]


def _held(name: str, f: Foreseen, code: Code, splits: list[Split]) -> Iterator[Line]:
    what = f"warfarin, {code.name}, {name}"
    data = f"warfarin_pkpd_32: {f.people} people, {len(f.values)} readings"
    last = np.array([last_seen(s, code) for s in splits])[f.split]
    others = [Against("population forecast", f.crowd), Against("last reading again", last)]
    note = "split by time; the population's medians are of these 32 people (Nguyen 2017)"
    yield from versus(what, f, others, data, code.unit, plainly_off, np.mean, note)
    yield honest(what, f, data)
