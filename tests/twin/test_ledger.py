"""The ledger: what was said is kept as it was said, and scored by the reading that came."""

from datetime import timedelta

import numpy as np
import pytest

from medtwin.record import codes
from medtwin.record.record import Record
from medtwin.twin.forecast import Forecast
from medtwin.twin.ledger import LedgerEntry, entries, levels, recent, score, track
from tests.twin.people import at, dawn, fact


def said(paths: np.ndarray, minutes: tuple[float, ...] = (30, 60)) -> Forecast:
    return Forecast("anna", codes.glucose, dawn, tuple(map(at, minutes)), paths)


def test_an_entry_holds_the_quantiles_of_the_paths_by_hand() -> None:
    paths = np.tile(np.arange(101.0) + 50, (2, 1))
    first, second = entries(said(paths), dawn)
    assert first.quantiles == pytest.approx([50 + 100 * level for level in levels])
    assert (first.mean, first.horizon, second.horizon) == (100.0, 30.0, 60.0)


def test_it_is_scored_by_the_reading_nearest_its_due_time_and_not_before_one_came() -> None:
    kept = entries(said(np.full((2, 10), 120.0)), dawn)
    record = Record("anna").add([fact(29, codes.glucose, 130.0), fact(32, codes.glucose, 100.0)])
    early, late = score(kept, record)
    assert early.measured == 130.0
    assert early.crps == pytest.approx(10.0)  # of a certain forecast, CRPS is the absolute error
    assert late.measured is None
    assert late is kept[1]


def entry(mean: float, measured: float | None, wide: float = 20.0, day: int = 0) -> LedgerEntry:
    quantiles = tuple(mean + wide * (level - 0.5) for level in levels)
    made = dawn + timedelta(days=day)
    due = made + timedelta(hours=1)
    crps = None if measured is None else 1.0
    return LedgerEntry(
        "anna", codes.glucose, "shown", made, due, 60, quantiles, mean, 5.0, measured, crps
    )


def test_the_track_record_by_hand() -> None:
    kept = [entry(100, 104), entry(100, 97), entry(100, 130), entry(100, None)]
    told = track(kept)
    assert told.overall is not None
    assert told.overall.n == 3
    assert told.waiting == 1
    assert told.overall.rmse == pytest.approx(np.sqrt((16 + 9 + 900) / 3))
    assert told.overall.bias == pytest.approx(-31 / 3)
    assert told.overall.cover50 == pytest.approx(2 / 3)  # 95 to 105 holds 104 and 97
    assert told.overall.cover90 == pytest.approx(2 / 3)
    assert list(told.horizons) == [60]


def test_calibration_is_told_day_by_day() -> None:
    told = track([entry(100, 100, day=0), entry(100, 180, day=1)])
    assert [h.cover90 for h in told.days.values()] == [1.0, 0.0]


def test_nothing_scored_is_no_track_record() -> None:
    assert track([entry(100, None)]).overall is None


def test_recent_entries_are_those_of_the_last_days() -> None:
    kept = [entry(100, 100, day=d) for d in range(5)]
    assert len(recent(kept, dawn + timedelta(days=4), days=2)) == 3
