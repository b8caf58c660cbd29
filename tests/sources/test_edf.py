"""Claims about EDF: files put together byte by byte as Kemp's description says."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
from letters import heard, refused

LOCAL = "17 F 03-FEB-1980 Ada_Example"
ANNOTATED = "EDF Annotations"


def field(text, width):
    return (text if isinstance(text, bytes) else str(text).encode()).ljust(width)


def edf(channels, records, local=LOCAL, reserved="EDF+C", told=None, notes=()):
    """`channels`: label, unit, samples a second; each counts up from -32768 in microvolt steps."""
    labels = [*channels, (ANNOTATED, "", 60)]
    head = field(0, 8) + field(local, 80) + field("Startdate 01-MAY-2024 X X Lab", 80)
    head += b"01.05.2422.30.00" + field(256 * (len(labels) + 1), 8) + field(reserved, 44)
    head += field(records if told is None else told, 8) + field(1, 8) + field(len(labels), 4)
    wide = [(16, 0), (80, ""), (8, 1), (8, -32768), (8, 32767), (8, -32768), (8, 32767)]
    for width, value in wide:
        for label in labels:
            said = label[value] if width == 16 or value == 1 else value
            head += field(said, width)
    head += b"".join(field("", 80) for _ in labels)
    head += b"".join(field(n, 8) for _, _, n in labels) + b"".join(field("", 32) for _ in labels)
    body = b""
    for record in range(records):
        for _, _, n in channels:
            body += np.arange(record * n, (record + 1) * n).astype("<i2").tobytes()
        talk = f"+{record}\x14\x14\x00".encode()
        talk += b"".join(n for at, n in notes if at == record)
        body += talk.ljust(120, b"\0")
    return head + body


def note(onset, lasts, text):
    length = f"\x15{lasts}" if lasts else ""
    return f"+{onset}{length}\x14{text}\x14\x00".encode()


def test_channels_of_one_kind_and_rate_are_one_waveform_in_their_unit():
    raw = edf([("EEG Fpz-Cz", "uV", 4), ("EEG Pz-Oz", "uV", 4), ("Resp oro-nasal", "", 1)], 3)
    (arrived,) = heard(raw, "night.edf", zone="Europe/Berlin")
    brain, breath = arrived.waveforms
    assert (brain.code, brain.rate, brain.channels) == ("eeg", 4, ("EEG Fpz-Cz", "EEG Pz-Oz"))
    np.testing.assert_allclose(brain.samples[0], np.arange(12), atol=1e-3)
    assert brain.units == ("uV", "uV")
    assert (breath.code, breath.rate) == ("respiration", 1)
    assert brain.at == datetime(2024, 5, 1, 20, 30, tzinfo=UTC)
    assert arrived.original == raw


def test_the_person_is_the_one_the_header_names():
    (arrived,) = heard(edf([("ECG", "mV", 2)], 1), "x.edf")
    assert arrived.about == "edf|17"
    assert (arrived.person.name, arrived.person.sex) == ("Ada Example", "female")
    assert arrived.person.born == date(1980, 2, 3)
    (arrived,) = heard(edf([("ECG", "mV", 2)], 1, local="X X X X"), "ada.edf")
    assert (arrived.about, arrived.person) == ("edf|ada", None)


def test_a_stage_of_sleep_is_a_stretch_and_other_words_are_notes():
    notes = [(0, note(0, 30, "Sleep stage N2")), (1, note(1.5, "", "Lights off"))]
    (arrived,) = heard(edf([("EEG", "uV", 2)], 3, notes=notes), "x.edf")
    stage, words = arrived.facts
    assert (stage.code.id, stage.value) == ("sleep_light", 0.5)
    assert stage.until - stage.at == timedelta(seconds=30)
    assert (words.says, words.at - stage.at) == ("Lights off", timedelta(seconds=1.5))


def test_a_recording_cut_short_gives_its_whole_records_and_says_so():
    raw = edf([("ECG", "mV", 100)], 10)[:-400]
    (arrived,) = heard(raw, "x.edf")
    assert len(arrived.waveforms[0]) == 800
    assert "8 of 10 records are there" in arrived.refused[0].because
    assert arrived.original == raw


def test_letters_that_edf_does_not_allow_cost_nothing():
    (arrived,) = heard(edf([("ECG", b"\xb5V", 4)], 2), "x.edf")
    assert arrived.waveforms[0].units == ("µV",)


def test_a_long_recording_comes_in_stretches_that_are_the_file(monkeypatch):
    from medtwin.sources import edf as module

    monkeypatch.setattr(module, "STRETCH", 400)
    raw = edf([("ECG", "mV", 100)], 10)
    arrived = heard(raw, "x.edf")
    assert len(arrived) == 5
    assert b"".join(a.original for a in arrived) == raw
    waves = [w for a in arrived for w in a.waveforms]
    np.testing.assert_allclose(
        np.concatenate([w.samples[0] for w in waves]), np.arange(1000), atol=0.01
    )
    assert [w.at for w in waves[1:]] == [w.until for w in waves[:-1]]


def test_a_record_that_cannot_be_is_refused():
    for samples in (-5, 99999999):
        raw = edf([("ECG", "mV", 4)], 1)
        at = 256 * 3 - 2 * 32 - 2 * 8
        assert raw[at : at + 8] == b"4       "
        raw = raw[:at] + str(samples).encode().ljust(8) + raw[at + 8 :]
        assert "a record of it is" in refused(heard(raw, "x.edf"))[0]


def test_what_is_no_edf_inside_is_refused():
    assert (
        "do not follow one another"
        in refused(heard(edf([("E", "", 1)], 1, reserved="EDF+D"), "x.edf"))[0]
    )
    assert "no whole record" in refused(heard(edf([("E", "", 1)], 0), "x.edf"))[0]
    assert "breaks off in its header" in refused(heard(edf([("E", "", 1)], 1)[:400], "x.edf"))[0]


def test_the_outside_recording_is_read(shared, tmp_path):
    import tarfile

    place = shared / "data" / "wfdb_samples" / "wfdb_samples.tar.xz"
    with tarfile.open(place) as archive:
        member = next(m for m in archive if m.name.endswith("test_generator_2.edf"))
        raw = archive.extractfile(member).read()
    (arrived,) = heard(raw, "test_generator_2.edf")
    # a square wave of 100 uV, 600 s at 200 Hz, eleven channels, start and stop noted
    assert sum(len(w.channels) for w in arrived.waveforms) == 11
    assert {len(w) for w in arrived.waveforms} == {120_000}
    assert [f.says for f in arrived.facts] == ["RECORD START", "REC STOP"]
    assert abs(arrived.waveforms[0].samples.max() - 100) < 0.02
