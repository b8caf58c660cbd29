"""A FHIR Observation, its components and its many kinds of value."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from medtwin.record.codes import Code, Kind, meanings
from medtwin.record.observation import WITHDRAWN, Implausible, Observation
from medtwin.record.units import UnknownUnit, convert
from medtwin.sources.fhir_words import (
    WORTH,
    NoFact,
    NotUnderstood,
    Resource,
    Told,
    meant,
    period,
    spoken,
    tokens,
    when,
)

Fact = Observation | Exception
Said = tuple[float, str, str | None]  # value, words, unit


TAKEN_BACK = {"entered-in-error", "cancelled"}


def observation(resource: Resource, told: Told) -> Iterator[Fact]:
    """One fact for the value and one for each component; what fails comes as its error."""
    at, until = observed(resource, told)
    found = parts(resource)
    if not found:
        raise NoFact("without a value")
    for _, part in found:
        try:
            yield _fact(part, resource, at, until, told)
        except (Implausible, UnknownUnit, NotUnderstood) as why:
            yield why


def parts(resource: Resource) -> list[tuple[str, Resource]]:
    """What of an Observation becomes a fact, each with its place: itself, its components."""
    inside = enumerate(resource.get("component", ()))
    named = [("Observation", resource)]
    named += [(f"Observation.component[{i}]", part) for i, part in inside]
    told = [(place, part) for place, part in named if value_of(part)]
    return told or (named[:1] if resource.get("status") in TAKEN_BACK else [])


def _fact(
    part: Resource, whole: Resource, at: datetime, until: datetime | None, told: Told
) -> Observation:
    if whole.get("status") in TAKEN_BACK:
        return _taken_back(part, whole, at, until, told)
    value, says, unit = value_of(part)[0](part)
    code = meant(part.get("code"), Kind.answer if unit is None else Kind.measurement, unit or "1")
    if code.id in NUMBERED and unit is None:
        value, says = _counted(part, code, says), ""
    if unit is not None and code.unit != unit:
        value = convert(value, unit, code)
    return Observation(at, code, value, origin(whole), told.received, until, says)


def _counted(part: Resource, code: Code, says: str) -> float:
    """What words are worth where a number was asked for: a choice of a known list, or digits."""
    chosen = tokens(part.get("valueCodeableConcept") or {})
    worth = [WORTH[token] for token in chosen if token in WORTH]
    if worth:
        return worth[0]
    if code.unit == "1" and re.fullmatch(r"\d+(\.\d+)?", says.strip()):
        return float(says)
    raise NotUnderstood(f"{code.name} is {says!r}; allowed is a number with its unit")


def _taken_back(
    part: Resource, whole: Resource, at: datetime, until: datetime | None, told: Told
) -> Observation:
    """What was said before is withdrawn, whether its value is repeated or not."""
    measure = part.get("valueQuantity")
    unit = _unit(measure) or "1" if isinstance(measure, dict) else "1"
    code = meant(part.get("code"), Kind.answer if unit == "1" else Kind.measurement, unit)
    value = min(max(code.low, 0.0), code.high)  # none was true: any that the code allows
    return Observation(at, code, value, origin(whole), told.received, until, WITHDRAWN)


NUMBERED = frozenset(c.id for c in meanings().values())


def observed(resource: Resource, told: Told) -> tuple[datetime, datetime | None]:
    """When it was true."""
    if text := resource.get("effectiveDateTime") or resource.get("effectiveInstant"):
        return when(text, told), None
    start, end = period(resource.get("effectivePeriod"), told)
    if start or end:
        return start or end or told.received, end
    events = (resource.get("effectiveTiming") or {}).get("event") or ()
    text = events[0] if events else resource.get("issued")
    if not text:
        raise NoFact("without a date")
    return when(text, told), None


def origin(resource: Resource) -> str:
    """Which device measured it, as far as it says."""
    device = (resource.get("device") or {}).get("display")
    return f"FHIR, {device}" if device else "FHIR"


def value_of(part: Resource) -> list[Callable[[Resource], Said]]:
    """How to read the value of this part, if it has one we read."""
    return [read for name, read in READERS.items() if part.get(name) is not None]


def _quantity(part: Resource) -> Said:
    return measured(part["valueQuantity"])


def measured(quantity: Resource) -> Said:
    """Number, comparator in words, unit as sent."""
    value = quantity.get("value")
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise NotUnderstood(f"its quantity is {value!r}; allowed is a number")
    return float(value), quantity.get("comparator", ""), _unit(quantity)


def _unit(quantity: Resource) -> str:
    unit = quantity.get("code") if "unitsofmeasure" in quantity.get("system", "") else None
    return unit or quantity.get("unit") or ""


def _concept(part: Resource) -> Said:
    return 1.0, spoken(part["valueCodeableConcept"]), None


def _integer(part: Resource) -> Said:
    return float(part["valueInteger"]), "", "1"


def _boolean(part: Resource) -> Said:
    return float(part["valueBoolean"]), "yes" if part["valueBoolean"] else "no", None


def _ratio(part: Resource) -> Said:
    ratio = part["valueRatio"]
    return 1.0, f"{_said(ratio.get('numerator'))} / {_said(ratio.get('denominator'))}", None


def _range(part: Resource) -> Said:
    span = part["valueRange"]
    return 1.0, f"{_said(span.get('low'))} to {_said(span.get('high'))}", None


def _period(part: Resource) -> Said:
    span = part["valuePeriod"]
    return 1.0, f"{span.get('start', '')} to {span.get('end', '')}", None


def _said(quantity: Resource | None) -> str:
    q = quantity or {}
    return f"{q.get('comparator', '')}{q.get('value', '')} {q.get('unit', '')}".strip()


def _words(name: str) -> Callable[[Resource], Said]:
    def read(part: Resource) -> Said:
        said: Any = part[name]
        return 1.0, str(said), None

    return read


READERS: dict[str, Callable[[Resource], Said]] = {
    "valueQuantity": _quantity,
    "valueCodeableConcept": _concept,
    "valueString": _words("valueString"),
    "valueInteger": _integer,
    "valueBoolean": _boolean,
    "valueRatio": _ratio,
    "valueRange": _range,
    "valuePeriod": _period,
    "valueDateTime": _words("valueDateTime"),
    "valueTime": _words("valueTime"),
}
