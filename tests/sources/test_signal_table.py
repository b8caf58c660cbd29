"""Claims about signal_table: channels in columns beside seconds from the start."""

import gzip

import numpy as np
from letters import heard, now, refused

TABLE = b"""Time [s], RESP, PLETH,'II (mV)'
0,0.35,0.43,1
0.008,0.36,,-1
0.016,0.37,0.45,0.5
"""


def test_columns_are_waveforms_by_kind_at_the_rate_of_their_times():
    (arrived,) = heard(TABLE, "ada.csv")
    waves = {w.code: w for w in arrived.waveforms}
    assert waves.keys() == {"respiration", "pleth", "ecg"}
    assert {w.rate for w in waves.values()} == {125}
    np.testing.assert_array_equal(waves["pleth"].samples, np.float32([[0.43, np.nan, 0.45]]))
    assert (waves["ecg"].channels, waves["ecg"].units) == (("II",), ("mV",))
    assert (arrived.about, arrived.original) == ("signals|ada", TABLE)


def test_it_stands_when_it_came_and_says_so():
    (arrived,) = heard(TABLE, "ada.csv")
    assert arrived.waveforms[0].until == now
    assert "date not told" in arrived.waveforms[0].source


def test_uneven_times_words_and_single_rows_are_refused():
    assert "not evenly apart" in refused(heard(TABLE + b"9,1,1,1\n", "a.csv"))[0]
    assert "no table of signals" in refused(heard(TABLE + b"soon,1,1,1\n", "a.csv"))[0]
    assert "fewer than two" in refused(heard(b"Time [s],II\n0,1\n", "a.csv"))[0]


def test_an_outside_record_of_eight_minutes(shared):
    raw = gzip.decompress((shared / "data/bidmc_01/bidmc_01_Signals.csv.gz").read_bytes())
    (arrived,) = heard(raw, "bidmc_01_Signals.csv")
    # 480 s at 125 Hz, and the first sample once more at the end: 60,001 rows
    assert {(w.rate, len(w)) for w in arrived.waveforms} == {(125, 60_001)}
    channels = {w.code: w.channels for w in arrived.waveforms}
    assert channels == {"respiration": ("RESP",), "pleth": ("PLETH",), "ecg": ("V", "AVR", "II")}
