"""Claims about WFDB records: bytes packed by hand as signal(5) describes them."""

import zipfile
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from letters import now, refused, walked

from medtwin.sources.leads import signal_code
from medtwin.sources.wfdb_header import BadHeader, header
from medtwin.sources.wfdb_signals import decoded

PACKED = [
    (16, "0100ffff0080", [1, -1, -32768]),
    (61, "0001ffff", [1, -1]),
    (80, "817f", [1, -1]),
    (160, "0180ff7f", [1, -1]),
    (24, "010000ffffff", [1, -1]),
    (32, "01000000ffffffff", [1, -1]),
    # 1 is 001 and -1 is fff: the low bytes outside, the high halves between them
    (212, "01f0ff", [1, -1]),
    (212, "01f0ff0208", [1, -1, -2046]),
    # words 0x0002 and 0x07fe: first 1, second -1 (0x3ff), third 0
    (310, "0200fe07", [1, -1, 0]),
    # third sample -1: the five top bits of both words
    (310, "02f8fef8", [1, 127, -1]),
    # 1, -1 and 2 one after the other: 1 + 0x3ff << 10 + 2 << 20
    (311, "01fc2f00", [1, -1, 2]),
]


@pytest.mark.parametrize(("number", "packed", "samples"), PACKED)
def test_each_format_unpacks_as_described(number, packed, samples):
    told = header(f"r 1 360\nr.dat {number}\n".encode(), None)
    (found,) = decoded(bytes.fromhex(packed), told.signals, len(samples))
    assert found.tolist() == samples


def test_differences_add_up_from_the_initial_value():
    told = header(b"r 2 360\nr.dat 8 200 8 0 10\nr.dat 8 200 8 0 -5\n", None)
    first, second = decoded(bytes.fromhex("0101ff02"), told.signals, 2)
    assert (first.tolist(), second.tolist()) == ([11, 10], [-4, -2])


def record(folder, said, name="r", **files):
    (folder / f"{name}.hea").write_bytes(said.encode())
    for file, content in files.items():
        (folder / f"{file}.dat").write_bytes(content)
    return walked(folder / f"{name}.hea", zone="Europe/Berlin")


def test_a_record_is_a_waveform_in_its_unit_at_its_clock(tmp_path):
    said = "r 2 500 2 10:20:30.5 01/05/2024\nr.dat 16 1000(100)/mV 12 0 0 0 0 II\n"
    said += "r.dat 16 10/mmHg 12 0 0 0 0 ABP\n"
    samples = np.array([[1100, 1200], [-900, 800]], dtype="<i2")  # frames: II, ABP
    (arrived,) = record(tmp_path, said.replace(" 0 0 II", " 0 200 II", 1).replace(
        "12 0 0 0 0 ABP", "12 0 0 2000 0 ABP"), r=samples.tobytes())  # fmt: skip
    ecg, pressure = arrived.waveforms
    assert (ecg.code, ecg.channels, ecg.units, ecg.rate) == ("ecg", ("II",), ("mV",), 500)
    np.testing.assert_allclose(ecg.samples, [[1, -1]])
    np.testing.assert_allclose(pressure.samples, [[120, 80]])
    assert (pressure.code, ecg.at) == ("arterial", datetime(2024, 5, 1, 8, 20, 30, 500000, UTC))
    assert arrived.about == "wfdb|r"


def test_a_checksum_tells_of_other_samples(tmp_path):
    said = "r 1 500 2\nr.dat 16 200 12 0 0 7 0 II\n"
    arrived = record(tmp_path, said, r=np.array([3, 5], dtype="<i2").tobytes())
    assert "another checksum" in refused(arrived)[0]
    assert len(arrived[0].waveforms) == 1


def test_what_has_no_sample_is_not_a_number(tmp_path):
    raw = np.array([200, -32768], dtype="<i2").tobytes()
    (arrived,) = record(tmp_path, "r 1 500 2\nr.dat 16 200\n", r=raw)
    np.testing.assert_array_equal(arrived.waveforms[0].samples, [[1, np.nan]])


def test_a_signal_sampled_more_often_has_its_own_rate_and_a_skewed_one_its_place(tmp_path):
    said = "r 2 100 2\nr.dat 16x2 1 16 0 0 0 0 II\nr.dat 16:1 1 16 0 0 0 0 RESP\n"
    raw = np.array([1, 2, 10, 3, 4, 20], dtype="<i2").tobytes()
    (arrived,) = record(tmp_path, said.replace("0 0 II", "10 0 II").replace(
        "0 0 RESP", "30 0 RESP"), r=raw)  # fmt: skip
    fast, slow = arrived.waveforms
    assert (fast.rate, slow.rate) == (200, 100)
    np.testing.assert_array_equal(fast.samples, [[1, 2, 3, 4]])
    np.testing.assert_array_equal(slow.samples, [[20, np.nan]])


def test_a_long_record_comes_in_stretches_that_follow_one_another(tmp_path, monkeypatch):
    from medtwin.sources import wfdb

    monkeypatch.setattr(wfdb, "STRETCH", 24)
    rng = np.random.default_rng(1)
    for number, low, high in ((212, -2047, 2047), (8, -100, 100), (16, -999, 999)):
        values = rng.integers(low, high, (50, 2))
        raw, first = packed(number, values), values[0] - (values[0] if number == 8 else 0)
        sums = [int(c.sum()) for c in (np.cumsum(values, axis=0).T if number == 8 else values.T)]
        said = "r 2 10 50 00:00:00 01/05/2024\n"
        for i, skew in enumerate(("", ":3")):
            said += f"r.dat {number}{skew} 1 12 0 {first[i]} {sums[i]} 0 c{i}\n"
        arrived = record(tmp_path, said, r=raw)
        assert refused(arrived) == []
        assert len(arrived) == 5
        waves = [[w for w in a.waveforms if "c" in w.channels[0]] for a in arrived]
        whole = np.cumsum(values, axis=0) if number == 8 else values
        plain = np.concatenate([w.samples[0] for a in waves for w in a if w.channels[0] == "c0"])
        np.testing.assert_array_equal(plain, whole[:, 0])
        late = np.concatenate([w.channel("c1") for a in waves for w in a if "c1" in w.channels])
        np.testing.assert_array_equal(late, [*whole[3:, 1], np.nan, np.nan, np.nan])
        assert [a[0].at for a in waves[1:]] == [a[0].until for a in waves[:-1]]


def packed(number, values):
    """The samples as each format packs them, by hand again."""
    flat = values.ravel()
    if number == 212:
        out = bytearray()
        for a, b in (flat.reshape(-1, 2) & 0xFFF).tolist():
            out += bytes([a & 0xFF, (b >> 8) << 4 | a >> 8, b & 0xFF])
        return bytes(out)
    return flat.astype("i1" if number == 8 else "<i2").tobytes()


def test_segments_follow_one_another(tmp_path):
    for n in (1, 2):
        record(tmp_path, f"s{n} 1 10 10\ns{n}.dat 80 1 8 0\n", f"s{n}", **{f"s{n}": b"\x81" * 10})
    arrived = record(tmp_path, "m/3 1 10 25 00:00:00 01/05/2024\ns1 10\n~ 5\ns2 10\n", "m")
    first, second = [w for a in arrived for w in a.waveforms]
    assert second.at - first.at == timedelta(seconds=1.5)
    assert refused(arrived) == []


def test_a_record_without_a_date_says_so_and_stands_when_it_came(tmp_path):
    (arrived,) = record(tmp_path, "r 1 10 20\nr.dat 80\n", r=b"\x80" * 20)
    (wave,) = arrived.waveforms
    assert wave.until == now
    assert "date not told" in wave.source


BAD = [
    ("r 1 10 20\nr.dat 80\n", "r.dat is not beside its header"),
    ("r 1 10 20\nshort.dat 80\n", "it holds 3 of the 20 frames"),
    ("r 1 10 20\nshort.dat 999\n", "format 999 is not known"),
    ("r 2 10 20\nshort.dat 80\n", "tells of 2 signals and describes 1"),
    ("r one 10\n", "its record line"),
    ("# nothing\n", "it has no record line"),
    ("r 1 0 20\nshort.dat 80\n", "0 frames a second"),
    ("r 1 10 9999999999999999\nshort.dat 80\n", "its record line"),
    ("r 1 10 20\n../../etc/passwd 80\n", "is not beside its header"),
]


@pytest.mark.parametrize(("said", "because"), BAD)
def test_a_record_that_is_wrong_is_refused_with_the_reason(tmp_path, said, because):
    assert because in refused(record(tmp_path, said, short=b"abc"))[0]


def test_a_signal_file_is_kept_byte_for_byte_and_annotations_are_counted(tmp_path):
    record(tmp_path, "r 1 10 3\nr.dat 80\n", r=b"\x80" * 3)
    (tmp_path / "r.atr").write_bytes(b"\x00\x00")
    kept = {a.kept: a.original for a in walked(tmp_path)}
    assert kept["WFDB signal file (read with its header)"] == b"\x80" * 3
    assert "WFDB annotations" in kept


def test_a_record_in_a_zip_finds_its_signals(tmp_path):
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("in/r.hea", "r 1 10 3\nr.dat 80\n")
        archive.writestr("in/r.dat", b"\x81" * 3)
    (wave,) = [w for a in walked(tmp_path / "z.zip") for w in a.waveforms]
    np.testing.assert_allclose(wave.samples, [[1 / 200] * 3])


def test_a_header_names_the_line_it_does_not_understand():
    with pytest.raises(BadHeader, match="tells no format"):
        header(b"r 1 360\nr.dat what\n", None)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("MLII", "ecg"),
        ("V5", "ecg"),
        ("aVR", "ecg"),
        ("ECG lead II", "ecg"),
        ("ABP", "arterial"),
        ("PLETH", "pleth"),
        ("Resp. Imp.", "respiration"),
        ("EEG Fpz-Cz", "eeg"),
        ("UC", "signal|uc"),
    ],
)
def test_a_channel_is_known_by_what_people_call_it(name, code):
    assert signal_code(name) == code


def test_outside_records_hold_what_their_checksums_say(shared, tmp_path):
    import tarfile

    for name in ("wfdb_samples", "ecgkit_208"):
        with tarfile.open(shared / "data" / "wfdb_samples" / f"{name}.tar.xz") as archive:
            archive.extractall(tmp_path, filter="data")
    read, missing = 0, 0
    for path in sorted(tmp_path.rglob("*.hea")):
        said = refused(walked(path))
        missing += bool(said)
        assert all("is not beside its header" in because for because in said), path.name
        read += not said
    assert (read, missing) == (14, 5)
