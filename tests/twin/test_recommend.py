"""Advice: within limits, with a reason, and withheld while the track record does not support it."""

from datetime import timedelta

import numpy as np
import pytest

from medtwin.physiology.glucose_living import model
from medtwin.record import codes
from medtwin.twin.assimilate import assimilate
from medtwin.twin.forecast import Forecast
from medtwin.twin.ledger import LedgerEntry, levels
from medtwin.twin.recommend import (
    Limits,
    Recommendation,
    Withheld,
    correction_factor,
    effect_share,
    recommend,
)
from medtwin.twin.twin import Twin, born
from tests.twin.people import at, dawn, fact

now = at(60)
chance = np.random.default_rng(2)


def twin_at(level: float) -> Twin:
    steady = [fact(m, codes.glucose, level) for m in range(0, 65, 5)]
    return assimilate(born("anna", model, dawn, seed=5), steady)


def expected(level: float) -> Forecast:
    times = tuple(now + timedelta(minutes=15 * k) for k in range(1, 13))
    paths = level + 12 * chance.standard_normal((12, 320))
    return Forecast("anna", codes.glucose, now, times, paths, "shown")


def record_of(n: int, spread: float = 10.0) -> list[LedgerEntry]:
    quantiles = tuple(140 + spread * 2 * (level - 0.5) * 1.645 / 0.9 for level in levels)
    misses = chance.uniform(-18, 18, n)
    return [
        LedgerEntry(
            *("anna", codes.glucose, "shown", dawn - timedelta(hours=i), dawn, 60.0),
            *(quantiles, 140.0, spread, 140 + miss, 5.0),
        )
        for i, miss in enumerate(misses)
    ]


honest = record_of(400)


def test_it_is_withheld_while_too_few_forecasts_were_scored() -> None:
    said = recommend(twin_at(220), expected(220), honest[:50], now, now)
    assert isinstance(said, Withheld)
    assert "only 50 forecasts of anna have been scored; 200 are needed" in said.because


def test_it_is_withheld_while_its_intervals_do_not_hold_what_they_claim() -> None:
    said = recommend(twin_at(220), expected(220), record_of(400, spread=3.0), now, now)
    assert isinstance(said, Withheld)
    assert "90 % intervals held" in said.because


def test_it_is_withheld_on_old_data() -> None:
    said = recommend(twin_at(220), expected(220), honest, now, now + timedelta(minutes=45))
    assert isinstance(said, Withheld)
    assert "45 min old" in said.because


def test_doses_that_go_on_arriving_do_not_make_an_old_reading_new() -> None:
    late = now + timedelta(minutes=45)
    running = assimilate(twin_at(220), [fact(104, codes.insulin_bolus, 1.0)])
    said = recommend(running, expected(220), honest, now, late)
    assert isinstance(said, Withheld)
    assert "last glucose reading is 45 min old" in said.because


def test_it_is_withheld_where_the_effect_of_insulin_is_not_plausible() -> None:
    narrow = Limits(share=(0.9, 1.0))
    said = recommend(twin_at(220), expected(220), honest, now, now, narrow)
    assert isinstance(said, Withheld)
    assert "of the correction factor in 2 h" in said.because


def test_a_high_forecast_is_answered_with_a_bolus_inside_the_limits() -> None:
    said = recommend(twin_at(220), expected(220), honest, now, now)
    assert isinstance(said, Recommendation)
    assert said.code == codes.insulin_bolus
    assert 0 < said.amount <= 5
    assert said.expected.middle[-1] < 220
    assert "instead of" in said.because


def test_a_low_forecast_is_answered_with_carbohydrate() -> None:
    said = recommend(twin_at(85), expected(80), honest, now, now, Limits(low_chance=0.9))
    assert isinstance(said, Recommendation)
    assert said.code == codes.carbohydrate or said.amount == 0


def test_in_range_nothing_is_to_be_done() -> None:
    said = recommend(twin_at(115), expected(115), honest, now, now)
    assert isinstance(said, Recommendation)
    assert said.amount == 0
    assert "nothing more is needed" in said.because


def test_no_choice_is_made_that_risks_a_low_above_the_cap() -> None:
    said = recommend(twin_at(75), expected(62), honest, now, now)
    assert isinstance(said, Withheld)
    assert "every choice within the limits" in said.because


@pytest.mark.parametrize("level", [100.0, 140.0, 200.0])
def test_a_unit_lowers_by_a_plausible_share_of_the_correction_factor(level: float) -> None:
    assert 0.15 < effect_share(twin_at(level), now) < 0.6


def test_the_correction_factor_is_1700_over_the_daily_insulin() -> None:
    twin = born("anna", model, dawn, members=1)
    row = list(model.parameters.__dataclass_fields__).index("daily_insulin")
    assert correction_factor(twin) == pytest.approx(1700 / twin.parameters[row, 0])
