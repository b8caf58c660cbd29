"""Fast time: a clock that runs so many times, and facts in the order they become known."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest

from medtwin.hospital.arrivals import Clock, arriving, started
from medtwin.hospital.generated import founded

opened = datetime(2031, 5, 4, 9, tzinfo=UTC)


def test_a_clock_of_speed_sixty_shows_an_hour_after_a_minute():
    clock = Clock(opened, 60, since=100.0, watch=lambda: 160.0)
    assert clock() == opened + timedelta(hours=1)


def test_it_says_how_long_to_wait():
    clock = Clock(opened, 60, since=100.0, watch=lambda: 100.0)
    assert clock.wait(opened + timedelta(minutes=5)) == pytest.approx(5.0)
    assert clock.wait(opened - timedelta(minutes=5)) == 0.0


def test_a_clock_that_stands_still_is_refused():
    with pytest.raises(ValueError, match="does not run"):
        started(opened, 0)


def test_facts_arrive_in_the_order_they_become_known_and_only_after_the_moment_asked():
    due = list(islice(arriving(founded(3, 1, opened), opened), 400))
    assert all(a.at <= b.at for a, b in pairwise(due))
    assert due[0].at > opened
    assert all(o.known == d.at for d in due for o in d.facts)
