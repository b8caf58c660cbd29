"""A waveform comes back sample for sample, by time and by channel."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medtwin.record.waveform import Waveform
from medtwin.vault import signals
from medtwin.vault.access import Refused
from medtwin.vault.consent import Purpose

care = Purpose.care
noon = datetime(2026, 3, 1, 12, tzinfo=UTC)


def ecg(length=36.0, **changed):
    """An ECG as a converter gives it: 500 a second, 200 steps to the millivolt; aVR fell off."""
    t = np.arange(round(length * 500)) / 500
    lead = np.rint(200 * (np.sin(9 * t) + 0.2 * np.sin(311 * t))) / 200
    samples = np.array([lead, -lead, np.where(t > 20, np.nan, lead)], dtype=np.float32)
    said = {"at": noon, "code": "ecg", "rate": 500.0, "channels": ("I", "II", "aVR")}
    said |= {"units": ("mV",) * 3, "samples": samples, "source": "monitor", "known": noon}
    return Waveform(**(said | changed))


@pytest.fixture
def watched(vault, door, made):
    """Somebody with 36 s of ECG; their pseudonym."""
    arrived = [made.arrived(original=b"strip", waveforms=(ecg(),))]
    vault.receive(door.operator, arrived, "invented", [care])
    vault.receive(door.operator, arrived, "invented", [care])
    (one,) = vault.patients(door.operator)
    return one.patient


def test_a_strip_comes_back_sample_for_sample_and_once(vault, door, watched):
    hour = timedelta(hours=1)
    (found,) = vault.waveforms(door.clinician, watched, "ecg", noon - hour, noon + hour, care)
    assert np.array_equal(found.samples, ecg().samples, equal_nan=True)
    assert (found.at, found.channels, found.rate) == (noon, ("I", "II", "aVR"), 500)
    (signal,) = vault.signals(door.clinician, watched, care)
    assert (signal.first, signal.last, signal.pieces) == (noon, noon + timedelta(seconds=36), 4)


def test_a_stretch_across_pieces_of_one_channel(vault, door, watched):
    begin, end = noon + timedelta(seconds=8), noon + timedelta(seconds=21)
    (found,) = vault.waveforms(door.clinician, watched, "ecg", begin, end, care, ["II"])
    assert (found.at, found.channels, len(found)) == (begin, ("II",), 6500)
    assert np.array_equal(found.samples, ecg().samples[1:2, 4000:10_500])


def test_strips_apart_in_time_stay_apart(vault, door, watched, made):
    later = ecg(5.0, at=noon + timedelta(minutes=5))
    arrived = [made.arrived(original=b"later", waveforms=(later,))]
    vault.receive(door.operator, arrived, "invented")
    end = noon + timedelta(hours=1)
    found = vault.waveforms(door.clinician, watched, "ecg", noon, end, care)
    assert [len(one) for one in found] == [18_000, 2500]


def test_a_waveform_asks_for_consent_as_a_fact_does(vault, door, watched):
    with pytest.raises(Refused):
        vault.waveforms(door.researcher, watched, "ecg", noon, noon, Purpose.research)


floats = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.lists(floats | st.just(float("nan")), min_size=1, max_size=60))
def test_packing_any_samples_loses_nothing(values):
    samples = np.array(values, dtype=np.float32)
    back = signals.unpacked(signals.packed(samples), len(samples))
    np.testing.assert_array_equal(back, samples)


@given(
    st.lists(st.integers(-32_000, 32_000), min_size=1, max_size=60),
    st.sampled_from([1, 200, 1000, 51.2]),
)
def test_packing_a_converters_samples_loses_nothing(steps, gain):
    samples = (np.array(steps) / gain).astype(np.float32)
    back = signals.unpacked(signals.packed(samples), len(samples))
    np.testing.assert_array_equal(back, samples)


def test_a_converters_samples_take_a_fraction_of_their_size():
    lead = ecg().samples[0]
    assert signals.packed(lead)[:1] == b"s"
    assert len(signals.packed(lead)) < lead.nbytes / 3
