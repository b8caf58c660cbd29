from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.record.quality import quality
from medtwin.record.record import Record

noon = datetime(2026, 3, 1, 12, tzinfo=UTC)


def series(values, every=5, source="sensor", code=codes.glucose):
    return Record("ada").add(
        Observation(noon + timedelta(minutes=every * i), code, v, source, noon)
        for i, v in enumerate(values)
        if v is not None
    )[code]


def names(values, **more):
    return {d.name for d in quality(codes.glucose, series(values, **more)).doubts}


def test_a_smooth_course_is_doubted_nowhere():
    found = quality(codes.glucose, series([100 + 3 * i for i in range(12)]))
    assert found.doubts == ()
    assert found.factor.tolist() == [1.0] * 12


def test_one_reading_that_stands_alone_counts_less_by_how_far_it_stands():
    found = quality(codes.glucose, series([110, 110, 190, 110, 110]))
    # 80 mg/dL from the middle of its neighbours, at a standard error of 10: sqrt(1 + 8^2);
    # it also rose 80 in 5 minutes where 20 and one standard error are allowed: 5^2 more
    assert found.factor[2] == pytest.approx(np.sqrt(1 + 64 + 25))
    assert found.factor.tolist()[:2] + found.factor.tolist()[3:] == [1] * 4
    assert names([110, 110, 190, 110, 110]) == {"artefact", "implausible change"}
    assert "stands alone" in found.because(2)[0]


def test_what_needs_the_next_reading_does_not_speak_at_once():
    found = quality(codes.glucose, series([110, 110, 190, 110, 110]))
    assert found.factor_at_once[2] == pytest.approx(np.sqrt(26))


def test_a_level_that_stays_is_doubted_once():
    found = quality(codes.glucose, series([110, 110, 110, 190, 190, 191, 192]))
    assert found.factor_at_once.round(2).tolist() == [1, 1, 1, 5.1, 1, 1, 1]


def test_a_rise_after_a_meal_is_no_artefact():
    assert names([110, 120, 134, 150, 168, 186, 200, 210]) == set()


def test_thirteen_times_the_same_number_tells_once():
    found = quality(codes.glucose, series([120] * 14))
    assert found.factor[11] == 1
    assert found.factor[12] == pytest.approx(np.sqrt(13))


def test_the_end_of_the_scale_is_not_stuck():
    assert names([400] * 20) == set()


def test_the_first_day_after_a_silence_is_a_new_sensor():
    values = [100 + i % 7 for i in range(60)] + [None] * 30 + [100 + i % 7 for i in range(300)]
    found = quality(codes.glucose, series(values))
    # 88.6 % against 92.3 % within 20/20 (Wadwa 2018): 1.768 / 1.580
    assert found.factor[59] == 1
    assert found.factor[60] == pytest.approx(1.12, abs=0.002)
    assert found.factor[60 + 287] == pytest.approx(1.12, abs=0.002)
    assert found.factor[60 + 288] == 1


def test_a_dip_that_recovers_within_the_hour_is_a_pressed_sensor_and_only_in_hindsight():
    dip = [120, 119, 100, 82, 70, 66, 70, 90, 112, 118, 119]
    found = quality(codes.glucose, series(dip))
    (pressed,) = (d for d in found.doubts if d.name == "pressed sensor")
    assert pressed.doubted[3:8].all()
    assert not pressed.at_once


def test_a_low_that_stays_low_is_believed():
    assert "pressed sensor" not in names([120, 110, 95, 80, 70, 64, 60, 58, 57, 58, 60, 62, 64])


def test_a_sensor_that_disagrees_with_the_meter_is_doubted_by_as_much_for_twelve_hours():
    sensor = series([150] * 1 + [151 - i % 3 for i in range(200)])
    meter = series([110], source="meter")
    found = quality(codes.glucose, sensor, meter)
    (off,) = (d for d in found.doubts if d.name == "drift")
    # the sensor's middle is 150 within ten minutes: 40 off, four standard errors
    assert off.factor[0] == pytest.approx(np.sqrt(17), rel=0.02)
    assert off.factor[144] > 1
    assert off.factor[145] == 1


def test_within_twenty_percent_the_meter_agrees():
    found = quality(codes.glucose, series([125] * 3), series([110], source="meter"))
    assert found.doubts == ()


def test_two_devices_are_judged_apart():
    mixed = Record("ada").add(
        Observation(noon + timedelta(minutes=5 * i), codes.glucose, v, source, noon)
        for i in range(20)
        for v, source in ((110 + i % 3, "one"), (210 + i % 3, "two"))
    )[codes.glucose]
    assert quality(codes.glucose, mixed).doubts == ()


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_few_readings_are_never_too_few_to_ask(count):
    assert quality(codes.glucose, series([100] * count)).factor.tolist() == [1.0] * count


def test_a_calibration_in_the_same_column_is_the_reference_and_is_not_doubted_itself():
    mixed = Record("ada").add(
        [
            *(
                Observation(noon + timedelta(minutes=5 * i), codes.glucose, 150 + i % 3, "g6", noon)
                for i in range(6)
            ),
            Observation(noon + timedelta(minutes=6), codes.glucose, 100, "G6, calibration", noon),
        ]
    )[codes.glucose]
    found = quality(codes.glucose, mixed)
    assert {d.name for d in found.doubts} == {"drift"}
    by_source = dict(zip(mixed.current.source, found.factor, strict=True))
    assert by_source[mixed.sources.index("G6, calibration")] == 1
