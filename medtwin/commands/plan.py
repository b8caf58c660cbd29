"""A plan as a file: facts that have not been made yet, in a JSON list.

Each entry has `code`, `value`, and `at` (an ISO time with its zone) or `in_minutes`; a rate such as
basal insulin also `until` or `lasting_minutes`; `unit` where it is not the code's own.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from medtwin.commands.report import WrongInput
from medtwin.record import codes
from medtwin.record.codes import Code
from medtwin.record.observation import Observation
from medtwin.record.units import convert

SAID = {"code", "value", "unit", "at", "in_minutes", "until", "lasting_minutes"}


def read(path: Path, start: datetime) -> tuple[Observation, ...]:
    """The plan in this file, in time order; minutes count from `start`."""
    try:
        entries = json.loads(path.read_text())
    except ValueError as why:
        raise WrongInput(f"plan {path} is not JSON ({why}); write a list of entries") from why
    if not isinstance(entries, list):
        raise WrongInput(f'plan {path} is no list; write [{{"code": ..., "value": ...}}, ...]')
    made = [planned(entry, f"entry {i} of {path}", start) for i, entry in enumerate(entries, 1)]
    return tuple(sorted(made, key=lambda o: o.at))


def planned(entry: Mapping[str, Any], which: str, start: datetime) -> Observation:
    """One entry as the fact it will be."""
    if not isinstance(entry, Mapping) or not entry.keys() <= SAID:
        raise WrongInput(f"{which} says more or other than {', '.join(sorted(SAID))}; leave it out")
    code = code_named(str(entry.get("code", "")), which)
    value = entry.get("value")
    if not isinstance(value, int | float):
        raise WrongInput(f"{which} has no number as value; give the amount in {code.unit}")
    amount = convert(float(value), entry.get("unit", code.unit), code)
    at = _moment(entry, "at", "in_minutes", start, which)
    if at is None:
        raise WrongInput(f"{which} says neither `at` nor `in_minutes`; say when")
    until = _moment(entry, "until", "lasting_minutes", at, which)
    return Observation(at, code, amount, "plan", known=at, until=until)


def code_named(name: str, which: str) -> Code:
    """The code of this name, or an error that lists what a plan can hold."""
    code = codes.known().get(name)
    if code is None:
        allowed = ", ".join(sorted(codes.known()))
        raise WrongInput(f"{which}: there is no code {name!r}; allowed are {allowed}")
    return code


def moment(text: str, which: str) -> datetime:
    """An ISO time that says its zone."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError as why:
        raise WrongInput(
            f"{which}: {text!r} is no time; write it like 2026-03-01T12:30:00+00:00"
        ) from why
    if time.tzinfo is None:
        raise WrongInput(f"{which}: {text!r} has no zone; add one, such as Z or +01:00")
    return time


def _moment(
    entry: Mapping[str, Any], at: str, minutes: str, start: datetime, which: str
) -> datetime | None:
    if at in entry and minutes in entry:
        raise WrongInput(f"{which} says both `{at}` and `{minutes}`; say one")
    if at in entry:
        return moment(str(entry[at]), which)
    if minutes not in entry:
        return None
    later = entry[minutes]
    if not isinstance(later, int | float) or later < 0:
        raise WrongInput(f"{which}: {minutes} is {later!r}; give minutes from 0 on")
    return start + timedelta(minutes=later)
