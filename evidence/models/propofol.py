"""Propofol: the paper's parameters for each person, and the next level from those before it."""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evidence.models.line import Line
from evidence.own_past import Against, Foreseen, Split, divided, foretold, honest, last_seen, versus
from medtwin.engine.schedule import Given
from medtwin.physiology import propofol
from medtwin.record import codes
from medtwin.twin.cohort import Person
from medtwin.twin.map_fit import Error
from medtwin.twin.prior import prior_of

free = ("central", "near", "far", "clearance", "near_exchange", "far_exchange")
error = {codes.propofol_level: Error(proportional=0.303)}
"""The paper's 0.191 with its spread between people (variance 0.463): 0.191 e^0.463."""

told = {"age": "AGE", "weight": "WGT", "height": "HT"}
ours = {
    "V1": propofol.v1,
    "V2": propofol.v2,
    "V3": propofol.v3,
    "CL": propofol.cleared,
    "Q2": propofol.q2,
    "Q3": propofol.q3,
}
shares = (0.25, 0.5, 0.75, 0.9)
"""How much of a person's readings has been seen when the next one is foreseen."""


@dataclass(frozen=True)
class Studied:
    """One person, and the study and parameters that the paper gives."""

    person: Person
    study: str
    published: dict[str, float]


def rows(shared: Path, name: str) -> list[dict[str, str]]:
    """A table of the supplement."""
    with gzip.open(shared / "data" / "propofol_eleveld" / f"{name}.csv.gz", "rt") as text:
        return list(csv.DictReader(text))


def people(shared: Path) -> list[Studied]:
    """Everybody who was given propofol, with their readings if there are any."""
    by: dict[str, list[dict[str, str]]] = {}
    for row in rows(shared, "eleveld_propofol"):
        by.setdefault(row["ID"], []).append(row)
    published = {r["ID"]: r for r in rows(shared, "eleveld_modelparams")}
    return [
        Studied(_person(name, mine), mine[0]["STUDY"], _numbers(published[name]))
        for name, mine in by.items()
    ]


def _numbers(row: dict[str, str]) -> dict[str, float]:
    return {k: float(row[k]) for k in ours}


def _person(name: str, mine: list[dict[str, str]]) -> Person:
    first = mine[0]
    doses = [r for r in mine if r["EVID"] == "1" and float(r["RATE"]) > 0]
    read = [r for r in mine if r["ISMEAS"] == "1"]
    return Person(
        name,
        tuple(
            Given(
                float(r["TIME"]),
                codes.propofol,
                float(r["AMT"]),
                float(r["AMT"]) / float(r["RATE"]),
            )
            for r in doses
            if float(r["AMT"]) > 0
        ),
        {
            codes.propofol_level: (
                np.array([float(r["TIME"]) for r in read]),
                np.array([float(r["CP"]) for r in read]),
            )
        },
        {
            **{ours_: float(first[theirs]) for ours_, theirs in told.items()},
            "female": float(first["M1F2"]) - 1.0,
            "opioid": float(first["NOADD1ADD2"]) - 1.0,
            "venous": float(first["A1V2"]) - 1.0,
        },
        begin=0.0,
    )


def next_ones(person: Person) -> list[Split]:
    """The next reading after a quarter, half ... of this person's readings."""
    times = np.unique(person.read[codes.propofol_level][0])
    seen = {max(2, int(share * len(times))) for share in shares}
    return [divided(person, times[k - 1], times[k]) for k in sorted(seen) if k < len(times)]


def lines(shared: Path) -> Iterator[Line]:
    """The paper's parameters of each person; then the next level, foreseen."""
    everybody = people(shared)
    yield _worked(everybody)
    read = [s for s in everybody if len(s.person.read[codes.propofol_level][0]) > 2]
    parts, splits = [], []
    prior = prior_of(propofol.model, free)
    for study in sorted({s.study for s in read}):
        mine = [x for s in read if s.study == study for x in next_ones(s.person)]
        parts.append(foretold(propofol.model, mine, prior, error))
        splits.append(mine)
    f, last = _joined(parts, splits)
    data = f"propofol_eleveld: {f.people} people, {len(f.values)} next readings"
    rivals = [
        Against("population forecast (the published model)", f.crowd),
        Against("last reading again", last),
    ]
    note = (
        "median absolute performance error; split by time, up to four moments of each person; "
        "the paper's medians and spreads are of these people among its 1,033"
    )
    yield from versus("propofol", f, rivals, data, "%", note=note)
    yield honest("propofol", f, data)


def _worked(everybody: list[Studied]) -> Line:
    p = {k: np.array([s.person.told[k] for s in everybody]) for k in everybody[0].person.told}
    body = propofol.Parameters(**p)
    off = [
        np.abs(of(body) / np.array([s.published[k] for s in everybody]) - 1)
        for k, of in ours.items()
    ]
    most = 100 * float(np.max(off))
    return Line(
        *("propofol", "V1, V2, V3, CL, Q2, Q3 of each person, largest difference", most, "%"),
        *("published figures", 0.0, "at most 0.5 % (rounding of the paper's table)", most < 0.5),
        data=f"propofol_eleveld: {len(everybody)} people",
    )


def _joined(parts: list[Foreseen], splits: list[list[Split]]) -> tuple[Foreseen, np.ndarray]:
    """The studies together, nobody counted as somebody else; and the last reading before each."""
    last = [
        np.array([last_seen(s, codes.propofol_level) for s in mine])[f.split]
        for f, mine in zip(parts, splits, strict=True)
    ]
    columns = {}
    for name in vars(parts[0]):
        columns[name] = np.concatenate([getattr(f, name) for f in parts], axis=-1)
    behind = np.cumsum([0, *(len(np.unique(f.whose)) for f in parts)])
    columns["whose"] = np.concatenate(
        [f.whose + b for f, b in zip(parts, behind[:-1], strict=True)]
    )
    return Foreseen(**columns), np.concatenate(last)
