"""What the devices told of a day: readings, doses and meals as facts, in the order they came."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import numpy as np
from jaxtyping import Float

from medtwin.hospital.living import Lived, midnight
from medtwin.hospital.resident import Resident
from medtwin.hospital.sensor import meter_spread, on_the_scale
from medtwin.record import codes
from medtwin.record.codes import Code
from medtwin.record.observation import Observation
from medtwin.sources.source import Arrived

sensor, meter, pump = "glucose sensor", "glucose meter", "insulin pump"
five = timedelta(minutes=5)
heading = "at,code,value,unit,source,known,until"


def told(
    resident: Resident, column: int, lived: Lived, shown: float, opened: datetime, seed: int
) -> tuple[float, tuple[Observation, ...]]:
    """The day's facts of one person, by when they became known, and what the sensor last showed.

    `column` is the person's place in the day's tables, `shown` what the sensor last showed the
    day before: a stuck one shows it still.
    """
    last, readings = _sensor(resident, column, lived, shown, opened)
    rest = (*_pump(column, lived), *_meter(resident, column, lived, seed))
    facts = sorted([*readings, *rest], key=lambda o: (o.known, o.at, o.code.id))
    return last, tuple(facts)


def _sensor(
    resident: Resident, column: int, lived: Lived, shown: float, opened: datetime
) -> tuple[float, list[Observation]]:
    wrong, start = lived.errors[column], midnight(lived.day)
    values = on_the_scale(lived.glucose[:, column] + wrong.readings)
    facts = []
    for i, value in enumerate(values):
        at = start + i * five
        stuck = resident.stuck is not None and resident.stuck.present(at, opened)
        shown = shown if stuck else float(value)
        silent = resident.silent is not None and resident.silent.present(at, opened)
        if not (silent or wrong.lost[i]):
            facts.append(_fact(at, codes.glucose, shown, sensor, start + wrong.known[i] * five))
    return shown, facts


def _pump(column: int, lived: Lived) -> Iterator[Observation]:
    start, quarter, hour = midnight(lived.day), timedelta(minutes=15), timedelta(hours=1)
    for k, rate in enumerate(lived.basal[:, column]):
        at = start + k * hour
        yield Observation(at, codes.insulin_basal, float(rate), pump, at, until=at + hour)
    for k in np.flatnonzero(lived.bolus[:, column]):
        at = start + int(k) * quarter
        yield _fact(at, codes.insulin_bolus, float(lived.bolus[k, column]), pump, at)
    late = lived.plans[column].entered_late
    for k in np.flatnonzero(lived.counted[:, column]):
        at = start + int(k) * quarter
        known = min(at + timedelta(minutes=late[k]), start + 24 * hour)
        yield _fact(at, codes.carbohydrate, float(lived.counted[k, column]), pump, known)


def _meter(resident: Resident, column: int, lived: Lived, seed: int) -> Iterator[Observation]:
    rng = np.random.default_rng([seed, resident.number, lived.day.toordinal(), 2])
    for hour in np.linspace(7, 22, resident.habits.meter):
        i = int(12 * hour + rng.integers(-6, 7))
        value = pricked(lived.glucose[i, column], resident.meter_error, rng)
        at = midnight(lived.day) + i * five
        yield _fact(at, codes.glucose, value, meter, at)


def pricked(glucose: float, error: float, rng: np.random.Generator) -> float:
    """What a finger prick shows: the truth times this meter's own error, give or take 5 %."""
    return float(np.clip(round(glucose * error * (1 + rng.normal(0, meter_spread))), 20, 600))


def _fact(at: datetime, code: Code, value: float, source: str, known: datetime) -> Observation:
    return Observation(at, code, value, source, known)


def upload(about: str, facts: tuple[Observation, ...], day: date) -> Arrived:
    """A day's facts as the file a device would send, and as what it says of this person."""
    rows = [heading]
    for o in facts:
        until = o.until.isoformat() if o.until else ""
        row = (o.at.isoformat(), o.code.id, f"{o.value:g}", o.code.unit, o.source)
        rows.append(",".join((*row, o.known.isoformat(), until)))
    original = "\n".join(rows).encode()
    origin = f"generated devices, {day.isoformat()}"
    return Arrived(original, "text/csv", origin, about, None, facts, (), kind="device upload")


def sensed(facts: tuple[Observation, ...]) -> Float[np.ndarray, " reading"]:
    """The sensor's readings alone."""
    return np.array([o.value for o in facts if o.source == sensor])
