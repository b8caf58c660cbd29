"""When a sensor falls silent: heads taught by past silences speak, then and only then."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from scipy.stats import norm

from medtwin.learning.head import Ahead, Answer, Learned, Rehearsal
from medtwin.learning.inputs import Inputs
from medtwin.learning.kept import dumped, loaded
from medtwin.learning.line import unmoved
from medtwin.learning.silence import hidden, inputs_in_silence, is_silent, last_reading
from medtwin.learning.silent_line import beyond_the_twin
from medtwin.physiology.glucose_living import model
from medtwin.record import codes
from medtwin.record.record import Record, moment
from medtwin.twin.heads import of_silence, speaking
from medtwin.twin.loop import Following, look_ahead
from medtwin.twin.mix import Said, alone, levels, mechanism, shown, weighed
from medtwin.twin.silence import horizons, silences, taught, weights_of
from medtwin.twin.twin import born
from tests.learning.people import corrupted, day, hour, minute, start, synthetic_person

record = synthetic_person(51, days=9)


@pytest.fixture(scope="module")
def learned() -> tuple[Learned, ...]:
    return taught(record, model, None)


def silent_since(hours: float) -> tuple[Record, float]:
    """The record as it stands when its last hours are hidden, and that moment."""
    now = start + 8 * day + 12 * hour
    quiet = hidden(record, np.array([now - hours * hour]), np.array([now]))
    return quiet.known(by=moment(now)), now


def own(mean: float = 150.0) -> Said:
    return Said(mechanism, (15.0, 30.0, 60.0, 120.0), np.full(4, mean), np.full(4, 30.0))


def test_a_sensor_is_silent_from_an_hour_after_its_last_reading_to_eight():
    for hours, silent in ((0.5, False), (1.5, True), (6.0, True), (9.0, False)):
        quiet, now = silent_since(hours)
        assert is_silent(quiet, now) is silent
    assert not is_silent(Record("nobody"), start)


def test_inputs_of_a_silence_are_those_of_the_last_reading_and_doses_as_they_stand_now():
    quiet, now = silent_since(3.0)
    moments = np.array([now])
    last = last_reading(quiet, moments)
    told = inputs_in_silence(quiet, moments, (60,), Ahead(np.array([[200.0]]), np.array([[40.0]])))
    seen = quiet[codes.glucose]
    assert told["glucose"][0] == pytest.approx(seen.value[seen.at == last[0]][0])
    assert told["minutes of silence"][0] == pytest.approx((now - last[0]) / minute)
    assert told["twin change in 60 min"][0] == pytest.approx(200 - told["glucose"][0], abs=1e-3)
    assert told["twin doubt in 60 min"][0] == 40
    boluses = quiet[codes.insulin_bolus]
    day_ago = boluses.at > now - day
    assert told["bolus in 24 h, now"][0] == pytest.approx(boluses.value[day_ago].sum(), rel=1e-5)
    assert "change over 30 min, now" not in told.names


def test_past_silences_are_judged_by_the_readings_that_were_hidden():
    lesson, believed = silences(record, model, None, (60,), (3.0,))
    assert len(lesson) == len(believed.mean) > 150
    seen = record[codes.glucose]
    for i in range(0, len(lesson), 20):
        due = lesson.moments[i] + hour
        near = np.abs(seen.at - due).argmin()
        if np.isfinite(lesson.measured[60][i]):
            assert lesson.measured[60][i] == seen.value[near]
    age = lesson.inputs["minutes of silence"]
    assert ((age >= 180) & (age <= 195)).all()


def test_nothing_learned_after_a_silence_reaches_what_was_told_at_its_end():
    whole, _ = silences(record, model, None, (60,), (1.0,), told_by=start + 3 * day)
    by = whole.moments[len(whole) // 2]
    spoilt = corrupted(record, by, np.random.default_rng(1))
    other, _ = silences(spoilt, model, None, (60,), (1.0,), told_by=start + 3 * day)
    rows = whole.inputs.values[whole.moments <= by]
    again = {float(t): row for t, row in zip(other.moments, other.inputs.values, strict=True)}
    both = [
        (r, again[t]) for r, t in zip(rows, map(float, whole.moments), strict=False) if t in again
    ]
    assert len(both) > 50
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in both)


def test_three_days_teach_no_head_of_a_silence_and_nine_teach_both(learned):
    assert taught(synthetic_person(52, days=3), model, None) == ()
    assert taught(Record("nobody"), model, None) == ()
    assert tuple(one.head for one in learned) == of_silence


def test_they_speak_while_the_sensor_is_silent_and_only_then(learned):
    for one in learned:
        quiet, now = silent_since(3.0)
        said = speaking(one)(quiet, moment(now), (), own())
        assert np.isfinite(said.mean).all()
        assert (said.spread > 0).all()
        awake, now = silent_since(0.2)
        assert np.isnan(speaking(one)(awake, moment(now), (), own()).mean).all()
        assert np.isnan(speaking(one)(quiet, moment(now), ()).mean).all()


def test_they_are_kept_with_their_rehearsal(learned):
    for one in learned:
        again = loaded(dumped(one))
        assert one.rehearsal is not None
        assert again.rehearsal is not None
        assert np.array_equal(again.rehearsal.measured, one.rehearsal.measured, equal_nan=True)
        assert np.array_equal(again.rehearsal.twin.mean, one.rehearsal.twin.mean)
        assert dumped(again) == dumped(one)


def rehearsal(said: float, n: int = 400) -> Rehearsal:
    """A head that misses by `said`, a twin that misses by 60, both either way."""
    rng = np.random.default_rng(7)
    came, sign = rng.normal(150, 40, (n, 3)), rng.choice([-1.0, 1.0], (n, 3))
    wide = np.full((n, 3), 25.0)
    return Rehearsal(Ahead(came + said * sign, wide), Ahead(came - 60.0 * sign, wide), came)


def test_the_line_says_what_the_twin_says_where_the_twin_was_right():
    twin = np.linspace(-60.0, 60.0, 80)
    inputs = Inputs(("glucose", "twin change in 60 min"), np.stack([0 * twin + 150, twin], axis=1))
    line = beyond_the_twin(inputs, twin + 7.0, 60)  # always seven too low
    asked = np.array([[150.0, -20.0], [150.0, 30.0]])
    assert line(asked) == pytest.approx([-13.0, 37.0], abs=1e-3)


def trees(rehearsed: Rehearsal) -> Learned:
    none = unmoved(Inputs((), np.zeros((0, 0))))
    answers = {h: Answer((), none, none, 1.0) for h in horizons}
    return Learned("silent_trees", ("p",), answers, rehearsed)


def test_shares_in_a_silence_come_from_the_rehearsal_and_sum_to_one():
    one = trees(rehearsal(20.0))
    found = weights_of((one,), ())
    assert found is not None
    assert found.by == (mechanism, "silent_trees")
    assert found.share.sum(axis=1) == pytest.approx(np.ones(3))
    # misses of -60 and +20 cancel at a quarter to three quarters; 400 of them, 16 apart, against 60
    # in belief of halves: 0.2 (20 - 80 w)^2 + 1500 (w - 0.5)^2 is least at 2140 / 5560
    assert found.share[:, 0] == pytest.approx(np.full(3, 2140 / 5560), abs=1e-3)
    assert weights_of((), ()) is None


def test_silences_that_share_their_hours_make_wider_intervals_than_as_many_apart():
    rng = np.random.default_rng(3)
    said = rng.normal(150, 30, (1, 300))
    part = (said, np.full((1, 300), 20.0), said[0] + rng.normal(0, 20, 300))
    apart, shared = (weighed((mechanism,), (60.0,), [part], n).misses[0] for n in (1, 25))
    assert shared[1] < apart[1] < -1.5
    assert shared[-2] > apart[-2] > 1.5
    # of 12 that stand for themselves the 95th percentile is the (12 + 1) / 12-fold further out
    trust = 300 / 360
    missed = (part[2] - said[0]) / 20
    expected = trust * np.quantile(missed, 0.5 + 0.45 * 13 / 12) + (1 - trust) * norm.ppf(0.95)
    assert shared[np.argmin(np.abs(levels - 0.95))] == pytest.approx(expected)


def test_in_a_silence_the_shown_forecast_is_the_mix_of_the_silence(learned):
    quiet, now = silent_since(3.0)
    twin = born(record.patient, model, moment(now), quiet, seed=1)
    heads = tuple(map(speaking, learned))
    mixed = replace(alone(), silent=weights_of(learned, ()))
    following = Following(quiet, (twin,), heads, mixed)
    seen, said = look_ahead(following, twin, moment(now))
    assert {one.by for one in said} == {mechanism, *of_silence}
    weights = mixed.silent
    assert weights is not None
    k = weights.horizons.index(60.0)
    mean = {s.by: float(np.interp(60, s.horizons, s.mean)) for s in said}
    spread = {s.by: float(np.interp(60, s.horizons, s.spread)) for s in said}
    wide = sum(w * spread[by] for w, by in zip(weights.share[k], weights.by, strict=True))
    expected = sum(w * mean[by] for w, by in zip(weights.share[k], weights.by, strict=True))
    middle = expected + wide * np.interp(0.5, levels, weights.misses[k])
    at = seen.times.index(moment(now) + timedelta(minutes=60))
    assert np.median(seen.paths[at]) == pytest.approx(middle, abs=2.5)


def test_without_a_head_for_silences_the_twin_alone_is_shown():
    quiet, now = silent_since(3.0)
    twin = born(record.patient, model, moment(now), quiet, seed=1)
    seen, said = look_ahead(Following(quiet, (twin,)), twin, moment(now))
    assert [one.by for one in said] == [mechanism]
    plain = shown(replace(seen, by=mechanism), (), alone(), moment(now), said[0])
    assert plain.middle == pytest.approx(seen.middle, rel=0.02)
    assert alone().misses[0] == pytest.approx(norm.ppf(levels))
