"""Laws of the generated hospital: plausible, its own HbA1c, and the same however it is split."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import numpy as np
import pytest

from medtwin.hospital.arrivals import arriving
from medtwin.hospital.chart import identity
from medtwin.hospital.devices import meter, sensed, sensor
from medtwin.hospital.generated import after_a_day, charts, days, founded
from medtwin.hospital.resident import residents
from medtwin.record import codes
from medtwin.sources.fhir import source
from medtwin.sources.source import Options, given

opened = datetime(2031, 5, 4, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def hospital():
    return founded(10, 1, opened)


@pytest.fixture(scope="module")
def past(hospital):
    """Two weeks and the day of the opening: for each day, each person's facts."""
    return [facts for _, facts in islice(days(hospital), 15)]


@pytest.fixture(scope="module")
def read(hospital):
    """Every bundle through the real FHIR source."""
    told = Options(received=opened)
    return [list(source.read(given("chart.json", b), told)) for b in charts(hospital)]


def test_the_sensor_reads_every_five_minutes_but_for_its_gaps(past):
    counts = np.array([[len(sensed(f)) for f in day] for day in past])
    assert np.all(counts[:, [0, 1, 5, 9]] > 200)
    assert np.all(counts <= 288)


def test_nobody_is_read_outside_the_scale_of_the_sensor(past):
    values = np.concatenate([sensed(f) for day in past for f in day])
    assert values.min() >= 40
    assert values.max() <= 400


def test_glucose_is_that_of_people_with_type_1_diabetes_who_manage(past):
    means = [np.mean(np.concatenate([sensed(day[i]) for day in past])) for i in range(10)]
    spreads = [np.std(np.concatenate([sensed(day[i]) for day in past])) for i in range(10)]
    assert all(100 < m < 220 for m in means)
    assert all(12 < s < 90 for s in spreads)


def test_insulin_of_a_day_is_what_adults_need(past):
    for i in range(10):
        rates = [o.value for day in past for o in day[i] if o.code == codes.insulin_basal]
        doses = [o.value for day in past for o in day[i] if o.code == codes.insulin_bolus]
        daily = (sum(rates) + sum(doses)) / len(past)
        assert 10 < daily < 130


def test_a_day_is_the_same_however_the_days_are_split(hospital, past):
    resumed = hospital
    for _ in range(5):
        resumed, _ = after_a_day(resumed)
    again = [facts for _, facts in islice(days(resumed), 3)]
    assert again == past[5:8]


def test_a_person_is_the_same_whoever_else_lives_there(past):
    _, alone = after_a_day(founded(3, 1, opened))
    assert alone == past[0][:3]


def test_another_seed_makes_other_people(hospital):
    assert residents(1, 2, opened)[0].body.basal != hospital.people[0].body.basal


def test_a_hospital_of_nobody_or_of_too_many_is_refused():
    for count in (0, 17):
        with pytest.raises(ValueError, match="1 to 16 are allowed"):
            residents(count, 1, opened)


def test_facts_come_in_the_order_they_became_known_and_never_before_they_were_true(past):
    for day in past[:3]:
        for facts in day:
            assert all(a.known <= b.known for a, b in pairwise(facts))
            assert all(o.known >= o.at for o in facts)


def test_some_facts_come_late(past):
    late = [o for day in past for facts in day for o in facts if o.known > o.at]
    assert {o.code for o in late} == {codes.glucose, codes.carbohydrate}


def test_some_meals_are_entered_without_a_bolus_by_the_one_who_forgets(past):
    forgetful = [o for day in past for o in day[1]]
    meals = {o.at for o in forgetful if o.code == codes.carbohydrate}
    doses = {o.at for o in forgetful if o.code == codes.insulin_bolus}
    assert 5 < len(meals - doses) < len(meals)


def test_the_stuck_sensor_repeats_itself_at_the_opening(past):
    values = [o.value for o in past[-1][2] if o.source == sensor]
    at = [o.at for o in past[-1][2] if o.source == sensor]
    around = [v for v, t in zip(values, at, strict=True) if timedelta(0) <= opened - t < 2 * hour]
    assert len(set(around)) == 1
    assert len(around) >= 20


hour = timedelta(hours=1)


def test_the_silent_person_is_silent_from_before_the_opening(past):
    times = [o.at for o in past[-1][3] if o.source == sensor]
    assert not any(opened - 1.5 * hour <= t < opened + 5 * hour for t in times)
    assert any(t < opened - 1.5 * hour for t in times)


def test_the_skewed_meter_reads_nearly_half_more_than_the_sensor(past):
    ratios = []
    for day in past:
        shown = {o.at: o.value for o in day[4] if o.source == sensor}
        ratios += [o.value / shown[o.at] for o in day[4] if o.source == meter and o.at in shown]
    assert 1.3 < np.mean(ratios) < 1.6


def test_hba1c_agrees_with_their_own_glucose(past, read):
    measured = [[f for a in bundle for f in a.facts if f.code == codes.hba1c] for bundle in read]
    last = [max(found, key=lambda o: o.at).value for found in measured]
    means = [np.mean(np.concatenate([sensed(day[i]) for day in past])) for i in range(10)]
    assert np.corrcoef(means, last)[0, 1] >= 0.9


def test_every_resource_is_read_and_none_is_refused(read):
    for bundle in read:
        assert not [r for a in bundle for r in a.refused]
        assert not [a.kept for a in bundle if a.kept]
        kinds = {a.kind for a in bundle}
        assert {"Condition", "Encounter", "MedicationRequest", "DocumentReference"} <= kinds


def test_everybody_is_named_and_marked_as_synthetic(hospital, read):
    for resident, bundle in zip(hospital.people, read, strict=True):
        who = next(a.person for a in bundle if a.person)
        assert who.name.endswith("(synthetic)")
        assert {a.about for a in bundle} == {f"fhir|{identity(resident)}"}
        assert all(b"HTEST" in a.original for a in bundle)


def test_what_arrives_goes_on_where_the_past_ends(hospital, past):
    everything = [o for day in past for facts in day for o in facts]
    live = [o for due in islice(arriving(hospital, opened), 500) for o in due.facts]
    before = [o for o in everything if o.known <= opened]
    after = [o for o in everything if o.known > opened]
    assert not set(live) & set(before)
    assert set(live[: len(after)]) <= set(after) or set(after) <= set(live)
