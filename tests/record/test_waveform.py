from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from medtwin.record.observation import Implausible
from medtwin.record.waveform import Waveform

noon = datetime(2026, 3, 1, 12, tzinfo=UTC)


def strip(**changed):
    samples = np.arange(20, dtype=np.float32).reshape(2, 10)
    said = {
        "at": noon,
        "code": "ecg",
        "rate": 5.0,
        "channels": ("I", "II"),
        "units": ("mV", "mV"),
        "samples": samples,
        "source": "monitor",
        "known": noon,
    }
    return Waveform(**(said | changed))


def test_ten_samples_at_five_a_second_last_two_seconds():
    assert (len(strip()), strip().until) == (10, noon + timedelta(seconds=2))


def test_a_stretch_begins_with_the_first_sample_in_it_and_leaves_its_end_out():
    part = strip().between(noon + timedelta(seconds=0.3), noon + timedelta(seconds=1))
    assert part.at == noon + timedelta(seconds=0.4)
    assert part.channel("I").tolist() == [2, 3, 4]
    assert part.channel("II").tolist() == [12, 13, 14]


def test_a_stretch_outside_the_strip_is_empty_and_one_around_it_is_all_of_it():
    hour = timedelta(hours=1)
    assert len(strip().between(noon + hour, noon + 2 * hour)) == 0
    assert len(strip().between(noon - 2 * hour, noon - hour)) == 0
    assert len(strip().between(noon - hour, noon + hour)) == 10


def test_a_channel_that_is_not_there_is_answered_with_those_that_are():
    with pytest.raises(KeyError, match="there are I, II"):
        strip().channel("V9")


@pytest.mark.parametrize(
    ("changed", "because"),
    [
        ({"units": ("mV",)}, "1 units; give one of each"),
        ({"channels": ("I", "I")}, "names a channel twice"),
        ({"rate": 0.0}, "above 0"),
        ({"at": datetime(2026, 3, 1)}, "no time zone"),  # noqa: DTZ001 - that is the claim
    ],
)
def test_what_is_no_signal_is_refused(changed, because):
    with pytest.raises(Implausible, match=because):
        strip(**changed)
