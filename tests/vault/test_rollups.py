"""A chart reads at most 2,000 points and says what the facts say, whatever came late."""

from datetime import timedelta

import numpy as np
import pytest

from medtwin.record.observation import WITHDRAWN
from medtwin.vault import rollups
from medtwin.vault.consent import Purpose

care = Purpose.care


@pytest.fixture
def sensor(vault, door, admitted, made):
    """Three weeks of a reading every five minutes; who wears it."""
    patient = admitted(care, facts=0)
    course = [made.reading(5 * i, 100 + i % 37) for i in range(6048)]
    vault.add(door.system, patient, course[:1000], care)
    vault.add(door.system, patient, course[1000:4000], care)
    vault.add(door.system, patient, course[4000:], care)
    return patient


@pytest.fixture
def drawn(vault, door, made):
    """A chart from day to day after noon."""

    def draw(patient, first=0.0, last=21.0, **options):
        begin, end = (made.at + timedelta(days=d) for d in (first, last))
        return vault.chart(door.clinician, patient, "glucose", begin, end, care, **options)

    return draw


def by_hour(vault, door, patient, code):
    """The same from the facts themselves."""
    seen = vault.record(door.clinician, patient, care)[code].current
    begins = seen.at // 3600 * 3600
    return {b: seen.value[begins == b] for b in np.unique(begins)}


def same(chart, expected):
    assert chart.width == 3600
    assert chart.at.tolist() == sorted(expected)
    held = [expected[b] for b in chart.at]
    assert chart.count.tolist() == [len(v) for v in held]
    assert chart.low.tolist() == [v.min() for v in held]
    assert chart.high.tolist() == [v.max() for v in held]
    assert chart.first.tolist() == [v[0] for v in held]
    assert chart.last.tolist() == [v[-1] for v in held]
    np.testing.assert_allclose(chart.mean, [v.mean() for v in held])


def test_a_long_course_is_told_by_the_hour(vault, door, sensor, drawn, made):
    same(drawn(sensor), by_hour(vault, door, sensor, made.code))


def test_a_short_stretch_is_told_fact_by_fact(sensor, drawn):
    chart = drawn(sensor, 3, 4)
    assert (chart.width, len(chart)) == (0, 288)
    assert chart.mean.tolist() == [100 + i % 37 for i in range(3 * 288, 4 * 288)]


@pytest.mark.parametrize("points", [2, 10, 100, 500, 2000])
def test_no_chart_has_more_points_than_asked_for_and_none_loses_a_fact(sensor, drawn, points):
    chart = drawn(sensor, points=points)
    assert 0 < len(chart) <= points
    assert chart.count.sum() == 6048
    assert (chart.low.min(), chart.high.max()) == (100, 136)


def test_a_late_a_corrected_and_a_withdrawn_fact_correct_the_chart(
    vault, door, sensor, drawn, made
):
    later = made.at + timedelta(days=30)
    late = made.reading(12.5, 400, known=later)
    corrected = made.reading(60, 300, known=later)
    withdrawn = made.reading(120, 124, known=later, says=WITHDRAWN)
    assert vault.add(door.system, sensor, [late, corrected, withdrawn], care) == 3
    chart = drawn(sensor)
    same(chart, by_hour(vault, door, sensor, made.code))
    assert chart.high[:3].tolist() == [400, 300, 135]
    assert chart.count[:3].tolist() == [13, 12, 11]
    assert drawn(sensor, points=2).count.sum() == 6048


def test_an_hour_whose_every_fact_is_withdrawn_is_not_drawn(vault, door, sensor, drawn, made):
    later = made.at + timedelta(days=30)
    gone = [made.reading(5 * i, 50, known=later, says=WITHDRAWN) for i in range(12)]
    vault.add(door.system, sensor, gone, care)
    chart = drawn(sensor)
    assert chart.at[0] == (made.at + timedelta(hours=1)).timestamp()
    assert chart.count.sum() == 6048 - 12


def test_the_same_facts_again_change_nothing(vault, door, sensor, drawn, made):
    vault.add(door.system, sensor, [made.reading(5 * i, 100 + i % 37) for i in range(50)], care)
    vault.add(door.system, sensor, [made.reading(0, 100), made.reading(30_240, 99)], care)
    chart = drawn(sensor, last=22)
    assert chart.count.sum() == 6049


def test_a_sensor_that_grows_denser_gets_finer_stretches(vault, door, sensor, drawn, made):
    seconds = [made.reading(40_000 + i / 60, 90) for i in range(3000)]
    vault.add(door.system, sensor, seconds, care)
    begin = 40_000 / 1440
    chart = drawn(sensor, begin, begin + 3000 / 86_400)
    assert chart.width < 3600
    assert chart.count.sum() == pytest.approx(3000, abs=60)
    assert drawn(sensor).count.sum() == 6048


def test_somebody_with_few_facts_needs_no_rollup(vault, admitted, drawn):
    patient = admitted(care, facts=3)
    assert drawn(patient).mean.tolist() == [100, 101, 102]
    with vault._store.turns.reading() as c:
        assert not c.execute(rollups.rollups.select()).all()


def test_what_was_never_measured_is_an_empty_chart(admitted, drawn):
    assert len(drawn(admitted(care, facts=0))) == 0


def test_more_points_than_a_screen_has_are_refused(sensor, drawn):
    with pytest.raises(ValueError, match="allowed are 2 to 2000"):
        drawn(sensor, points=2001)
