"""The loop: one person followed, live and in the back-test by the same function."""

from datetime import datetime
from typing import Any

import numpy as np
import pytest

from medtwin.physiology.glucose_living import model
from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.record.record import Record
from medtwin.twin.assimilate import assimilate
from medtwin.twin.forecast import Forecast
from medtwin.twin.ledger import LedgerEntry
from medtwin.twin.loop import Following, follow
from medtwin.twin.mix import Said, alone
from medtwin.twin.twin import born
from tests.twin.people import a_day, at, dawn

Turn = tuple[Following, list[Forecast], list[LedgerEntry]]


def followed(hours: int, heads: tuple[Any, ...] = ()) -> Turn:
    day = a_day(hours)
    following = Following(Record("anna"), (born("anna", model, dawn, seed=3),), heads)
    shown, scored, last = [], [], dawn
    for minutes in range(0, 60 * hours + 1, 15):
        now = at(minutes)
        arrived = [o for o in day if last < o.known <= now or (minutes == 0 and o.known == now)]
        following, ahead, done = follow(following, arrived, now)
        shown.append(ahead)
        scored.extend(done)
        last = now
    return following, shown, scored


@pytest.fixture(scope="module")
def half_a_day() -> Turn:
    return followed(12)


def test_after_every_turn_the_twin_is_the_one_of_the_facts_in_order(half_a_day: Turn) -> None:
    following, _, _ = half_a_day
    in_order = assimilate(born("anna", model, dawn, seed=3), a_day(12))
    assert np.array_equal(following.twin.states, in_order.states)


def test_every_forecast_is_scored_once_when_its_reading_came(half_a_day: Turn) -> None:
    _, _, scored = half_a_day
    shown = [e for e in scored if e.by == "shown"]
    assert len({(e.made, e.due) for e in shown}) == len(shown)
    assert {round(e.horizon) for e in shown} == {15, 30, 45, 60, 90, 120}
    # 15 min ahead at 0, 15, ... 690 min: due by 705, the last reading is of 715
    assert len([e for e in shown if e.horizon == 15]) == 47


def test_checkpoints_reach_back_over_the_late_hours_but_do_not_pile_up(half_a_day: Turn) -> None:
    following, _, _ = half_a_day
    ages = [(following.twin.at - t.at) / 3600 for t in following.checkpoints]
    assert ages[0] > 11
    assert len(ages) <= 6 * 4 + 2


def test_nothing_measured_later_than_now_is_looked_at() -> None:
    asked: list[tuple[datetime, float]] = []

    def head(record: Record, now: datetime, _: Any, __: Said | None = None, /) -> Said:
        seen = record[codes.glucose]
        asked.append((now, float(seen.known.max(initial=0.0))))
        return Said("head", (30.0, 60.0), np.full(2, 150.0), np.full(2, 20.0))

    followed(2, (head,))
    assert asked
    assert all(latest <= now.timestamp() for now, latest in asked)


def test_a_head_with_no_share_does_not_move_what_is_shown() -> None:
    def wild(_: Record, __: datetime, plan: Any, own: Said | None = None, /) -> Said:
        return Said("wild", (30.0, 60.0), np.full(2, 900.0), np.full(2, 1.0))

    twin = born("anna", model, dawn, seed=3)
    plain = Following(Record("anna"), (twin,))
    arrived: list[Observation] = a_day(1)
    _, quiet, _ = follow(plain, arrived, at(60))
    _, loud, _ = follow(Following(Record("anna"), (twin,), (wild,), alone()), arrived, at(60))
    assert np.array_equal(quiet.paths, loud.paths)
