"""A silent sensor: what a head is told after hours without a reading, and past silences to learn
from.

Inputs as they stood at the last reading, how old it is by now, doses, meals and the clock as they
stand now, and what the twin believes of the reading at each horizon.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from medtwin.learning.head import Ahead
from medtwin.learning.inputs import Inputs, known_inputs
from medtwin.learning.readings import Moments, hour, in_time, latest, minute
from medtwin.record import codes
from medtwin.record.record import Record

shortest, longest = 1 * hour, 8 * hour
"""How old the last reading is where these heads speak: younger, the others do; older, nobody taught
them."""

of_readings = ("glucose", "age of", "change", "bend", "slope", "above", "spread", "readings")
of_readings += ("mean", "usual", "yesterday")
"""How the names of inputs begin that only a reading renews."""


def last_reading(record: Record, moments: Moments) -> Moments:
    """When the newest reading known at each moment was taken (UTC seconds); NaN without any."""
    seen = in_time(record[codes.glucose])
    if not len(seen):
        return np.full(len(moments), np.nan)
    i = latest(seen, moments, moments)
    return np.where(i >= 0, seen.at[np.maximum(i, 0)], np.nan)


def is_silent(record: Record, moment: float) -> bool:
    """Whether the last reading known at that moment is as old as these heads were taught for."""
    return bool(shortest < moment - last_reading(record, np.array([moment]))[0] <= longest)


def inputs_in_silence(
    record: Record, moments: Moments, horizons: Sequence[int], believed: Ahead
) -> Inputs:
    """One row for each moment (UTC seconds, rising), each with a reading known before it.

    `believed` is what the twin says at each moment of the reading at each horizon (minutes).
    """
    last = last_reading(record, moments)
    then, now = known_inputs(record, last), known_inputs(record, moments)
    renewed = [i for i, name in enumerate(now.names) if not name.startswith(of_readings)]
    doses = Inputs(tuple(f"{now.names[i]}, now" for i in renewed), now.values[:, renewed])
    change = believed.mean - then["glucose"][:, None]
    beliefs = np.hstack([(moments - last)[:, None] / minute, change, believed.spread])
    names = [f"twin {what} in {h} min" for what in ("change", "doubt") for h in horizons]
    told = Inputs(("minutes of silence", *names), beliefs.astype(np.float32))
    return then.beside(doses).beside(told)


def hidden(
    record: Record, begins: Float[np.ndarray, " silence"], ends: Float[np.ndarray, " silence"]
) -> Record:
    """The record with no reading after each beginning up to its end (both rising, UTC seconds)."""
    s = record[codes.glucose]
    place = np.minimum(np.searchsorted(ends, s.at, side="left"), len(ends) - 1)
    quiet = (s.at > begins[place]) & (s.at <= ends[place])
    return Record(record.patient, {**record.columns, codes.glucose: s.keep(~quiet)})
