"""What the columns of a table mean: a mapping file, or column names that speak for themselves."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson

from medtwin.record import codes
from medtwin.record.codes import Code


class BadMapping(ValueError):
    """The mapping file cannot be used."""


@dataclass(frozen=True)
class Column:
    """How one column, or the first filled of several, becomes facts of one code.

    Arithmetic comes in this order: `less` is taken off, `rescale` rules and `scale` (or the
    person's own in `per_person`) multiply, then the unit is converted. Values at or under
    `above` are no facts. `lasting` minutes make a rate or a mean last; "next" lets it last
    until the person's next value. `window` minutes gather rows into one fact for each such
    stretch of the clock, rows up to `early` seconds before it included. `known` is "at" (when
    true), "closed" (when the stretch is over) or "received". `absent_if_always`: a person whose
    column never holds anything else has no such measurement.
    """

    columns: tuple[str, ...]
    code: Code
    unit: str
    source: str = ""
    says: str = ""
    less: tuple[str, ...] = ()
    scale: float = 1.0
    per_person: Mapping[str, float] = field(default_factory=dict)
    rescale: tuple[tuple[float, float], ...] = ()
    above: float | None = None
    missing: tuple[float, ...] = ()
    lasting: float | str = 0.0
    window: float = 0.0
    early: float = 0.0
    known: str = "at"
    absent_if_always: float | None = None


@dataclass(frozen=True)
class TableMapping:
    """What a table says: whose rows they are, when they were true, what each column means."""

    name: str
    time: str
    columns: tuple[Column, ...]
    person: str | None = None
    zone: str | None = None
    format: str | None = None
    reference: str = ""
    recognised_by: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()


def loaded(path: Path) -> TableMapping:
    """A mapping from its JSON file. Raises `BadMapping` with what is wrong."""
    try:
        return mapping(orjson.loads(path.read_bytes()))
    except (OSError, orjson.JSONDecodeError) as why:
        raise BadMapping(f"mapping {path.name} cannot be read: {why}") from why


def mapping(said: Mapping[str, Any]) -> TableMapping:
    """A mapping from what its file says."""
    try:
        time = said["time"]
        facts = tuple(_column(f) for f in said["facts"])
        return TableMapping(
            name=said["name"],
            time=time["column"],
            columns=facts,
            person=said.get("person"),
            zone=time.get("zone"),
            format=time.get("format"),
            reference=said.get("reference", ""),
            recognised_by=tuple(said.get("recognised_by", ())),
            unused=tuple(said.get("unused", ())),
        )
    except (KeyError, TypeError) as why:
        raise BadMapping(f"the mapping lacks or misplaces {why}; see docs/sources.md") from why


def _column(said: Mapping[str, Any]) -> Column:
    known = codes.known()
    allowed = {f.name for f in fields(Column)}
    if unknown := set(said) - allowed:
        raise BadMapping(f"{sorted(unknown)} are no words of a mapping; allowed: {sorted(allowed)}")
    if said["code"] not in known:
        raise BadMapping(f"code {said['code']!r} is not in record/codes.py: {sorted(known)}")
    told: dict[str, Any] = dict(said) | {"code": known[said["code"]]}
    for name in ("columns", "less", "missing"):
        told[name] = tuple(said.get(name, ()))
    told["rescale"] = tuple((r["above"], r["by"]) for r in said.get("rescale", ()))
    return Column(**told)


@cache
def shipped() -> dict[str, TableMapping]:
    """The mappings of known data sets, by file name."""
    folder = files("medtwin.sources") / "mappings"
    found = sorted(folder.iterdir(), key=lambda f: f.name)
    return {
        f.name.removesuffix(".json"): mapping(orjson.loads(f.read_bytes()))
        for f in found
        if f.name.endswith(".json")
    }


def fitting(names: Sequence[str]) -> TableMapping | None:
    """The mapping these column names call for: a known data set, or names that say it all."""
    for known in shipped().values():
        if set(known.recognised_by) <= set(names):
            return known if known.person in names else replace(known, person=None)
    return generic(names)


PERSON = ("person_id", "person", "patient_id", "patient", "subject_id", "subject", "id", "user")
TIME = ("time", "timestamp", "datetime", "date_time", "date", "at", "eventdatetime")
NAMES = {
    "cgm": "glucose",
    "bg": "glucose",
    "sgv": "glucose",
    "sensor_glucose": "glucose",
    "blood_glucose": "glucose",
    "carbs": "carbohydrate",
    "carb": "carbohydrate",
    "carbohydrates": "carbohydrate",
    "carb_input": "carbohydrate",
    "meal": "carbohydrate",
    "bolus": "insulin_bolus",
    "insulin": "insulin_bolus",
    "meal_bolus": "insulin_bolus",
    "correction_bolus": "insulin_bolus",
    "basal": "insulin_basal",
    "basal_rate": "insulin_basal",
    "hr": "heart_rate",
    "sbp": "systolic",
    "dbp": "diastolic",
}
SAYS = {"meal_bolus": "meal", "correction_bolus": "correction"}
# A unit in a column's name: glucose (mmol/L), glucose [mmol/L], glucose_mmol_l, glucose_mg_dl.
UNIT = re.compile(r"^(?P<name>.*?)[ _]*[(\[](?P<unit>[^)\]]+)[)\]]$")
TAILS = {
    "_mg_dl": "mg/dL",
    "_mgdl": "mg/dL",
    "_mmol_l": "mmol/L",
    "_mmol": "mmol/L",
    "_u_h": "U/h",
    "_u": "U",
    "_g": "g",
}


def generic(names: Sequence[str]) -> TableMapping | None:
    """A mapping from column names, if they name a time and at least one code."""
    low = {n.lower().strip(): n for n in names}
    time = timed(names)
    columns = tuple(c for n in names if n != time and (c := _by_name(n)))
    person = next((low[p] for p in PERSON if p in low), None)
    return TableMapping("table", time, columns, person) if time and columns else None


def timed(names: Sequence[str]) -> str | None:
    """The column that can only be the time."""
    low = {n.lower().strip(): n for n in names}
    return next((low[t] for t in TIME if t in low), None)


def _by_name(name: str) -> Column | None:
    word, unit = _unit_in(name)
    code = codes.known().get(NAMES.get(word, word))
    if code is None:
        return None
    amount = code.kind in (codes.Kind.dose, codes.Kind.meal)
    rate = code.unit == "U/h"
    return Column(
        (name,),
        code,
        unit or code.unit,
        source=name,
        says=SAYS.get(word, ""),
        above=0 if amount and not rate else None,
        lasting="next" if rate else 0.0,
    )


def _unit_in(name: str) -> tuple[str, str]:
    word = name.strip()
    if found := UNIT.match(word):
        return found["name"].lower().strip().replace(" ", "_"), found["unit"]
    word = word.lower().replace(" ", "_")
    for tail, unit in TAILS.items():
        if word.endswith(tail) and word not in codes.known():
            return word.removesuffix(tail), unit
    return word, ""
