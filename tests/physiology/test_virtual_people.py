"""Adults who do not exist, but could."""

import numpy as np

from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.physiology import type1
from medtwin.physiology.virtual_people import normal_day, people
from medtwin.record import codes

crowd = people(200, np.random.default_rng(11))


def test_as_many_come_as_were_asked_for_and_the_seed_says_who():
    assert len(crowd) == 200
    again = people(200, np.random.default_rng(11))
    assert np.array_equal(crowd.parameters.weight, again.parameters.weight)


def test_everybody_gets_through_a_normal_day():
    glucose = normal_day(crowd).of(codes.glucose)
    assert glucose.min() > 40
    assert glucose.max() < 400


def test_pump_settings_are_those_of_adults():
    # published medians of adults on pumps: basal about 0.9 U/h, ratio 5 to 15 g/U
    assert 0.5 < np.median(crowd.basal) < 2.0
    assert 5 < np.median(crowd.ratio) < 15
    assert np.all(crowd.correction > 5)


def test_a_bolus_by_ones_own_ratio_has_glucose_back_five_hours_after_the_meal():
    given = [
        Given(0.0, codes.insulin_basal, crowd.basal, np.inf),
        Given(0.0, codes.carbohydrate, 50.0, 15.0),
        Given(0.0, codes.insulin_bolus, 50.0 / crowd.ratio),
    ]
    run = simulate(type1.model, crowd.parameters, None, given, [0.0, 300.0])
    before, after = run.of(codes.glucose)
    np.testing.assert_allclose(after, before, atol=1.0)
