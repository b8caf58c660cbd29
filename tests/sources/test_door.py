"""Claims about the door: bad input costs only itself, archives are read, nothing goes off."""

import gzip
import io
import os
import tarfile
import zipfile
from datetime import timedelta

import pytest
from letters import ada, bundle, facts, heard, now, reading, refused, walked

from medtwin.sources.zones import UnknownZone

GOOD = bundle(ada, reading(1), reading(2))


def test_a_letter_cut_short_gives_what_is_whole_and_says_what_is_not():
    arrived = heard(GOOD[:-60])
    assert len(facts(arrived)) == 1
    assert "2 whole resources in it are kept" in refused(arrived)[0]
    assert arrived[-1].refused[0].original


def test_one_not_a_number_costs_one_resource():
    arrived = heard(bundle(ada, reading(1), reading(2, 77)).replace(b"120", b"NaN"))
    assert facts(arrived) == [("fhir|ada", "glucose", 77)]
    assert "the JSON is broken" in refused(arrived)[0]


BAD = [
    (reading(1, unit="furlong"), "glucose in furlong: allowed is mg/dL"),
    (reading(1, 95000), "outside 10 to 1500; check the unit"),
    (reading(1, "high"), "its quantity is 'high'; allowed is a number"),
    (reading(1, effectiveDateTime="2999-01-01T00:00:00Z"), "it lies in the future of"),
    (reading(1, effectiveDateTime="1970-01-01T00:00:00Z"), "before the person's birth"),
    (reading(1, effectiveDateTime="2024-05-01T10:00:00"), "no time zone; say which"),
    (reading(1, effectiveDateTime="yesterday at ten"), "is not a FHIR date"),
    (reading(1, code="glucose"), "not shaped as FHIR R4 says: a text stands"),
    ({"resourceType": "Pizza", "id": "4"}, "'Pizza' is no FHIR R4 resource kind"),
    ({"id": "4"}, "it has no resourceType"),
]


@pytest.mark.parametrize(("bad", "because"), BAD, ids=[b[1][:25] for b in BAD])
def test_a_bad_resource_is_refused_with_its_reason_and_the_good_one_kept(bad, because):
    arrived = heard(bundle(ada, bad, reading(2, 77)))
    assert facts(arrived) == [("fhir|ada", "glucose", 77)]
    told = [r for a in arrived for r in a.refused]
    assert len(told) == 1
    assert because in told[0].because
    assert told[0].what
    assert told[0].whose
    assert told[0].next


def test_a_birth_date_in_the_future_is_left_out_and_said():
    arrived = heard(bundle(ada | {"birthDate": "2999-01-01"}))
    assert arrived[0].person.born is None
    assert "lies in the future" in refused(arrived)[0]


def test_a_device_clock_a_little_fast_is_forgiven():
    soon = (now + timedelta(minutes=4)).isoformat()
    assert len(facts(heard(bundle(ada, reading(1, effectiveDateTime=soon))))) == 1


def test_offsets_are_honoured_side_by_side():
    times = ["2024-05-01T10:00:00+02:00", "2024-05-01T03:00:00-05:00", "2024-05-01T08:00:00Z"]
    arrived = heard(bundle(ada, *(reading(1, effectiveDateTime=t) for t in times)))
    assert len({f.at for a in arrived for f in a.facts}) == 1


def test_a_naive_time_is_in_the_zone_we_are_told():
    said = reading(1, effectiveDateTime="2024-05-01T10:00:00")
    arrived = heard(bundle(ada, said), zone="Europe/Berlin")
    assert arrived[-1].facts[0].at.hour == 8


def test_a_zone_nobody_knows_is_refused_at_once():
    with pytest.raises(UnknownZone, match="allowed are IANA names"):
        heard(GOOD, zone="Mars/Olympus")


GARBAGE = [b"", b"[1, 2]", b"{" + os.urandom(5000), os.urandom(5000), b"\x89PNG" + bytes(99)]


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(5))
def test_garbage_is_refused_and_said_to_be(garbage):
    arrived = heard(garbage)
    assert facts(arrived) == []
    assert len(refused(arrived)) == 1


def test_brackets_without_end_do_no_harm():
    assert refused(heard(b'{"a":' * 200_000))


def test_much_garbage_is_refused_without_being_read(tmp_path):
    path = tmp_path / "big.bin"
    with path.open("wb") as file:
        file.write(os.urandom(1 << 16))
        file.truncate(200 << 20)
    (arrived,) = walked(path)
    assert "no source recognises it" in arrived.refused[0].because
    assert arrived.original == b""


@pytest.mark.parametrize("name", ["big.json", "half.json", "big.csv"])
def test_garbage_that_begins_well_is_found_out_early(name, tmp_path):
    begins = {
        "big.json": b'{"resourceType":"Bundle","entry":[',
        "half.json": b'{"resourceType":"Bundle","entry":[1ea',  # "no digit after the exponent"
        "big.csv": b"time,glucose\n",
    }
    noise = os.urandom(1 << 20).hex().encode()
    lines = b"\n".join(noise[i : i + 60] for i in range(0, len(noise), 60))
    (tmp_path / name).write_bytes(begins[name] + lines * 8)
    (arrived,) = walked(tmp_path)
    assert not arrived.facts
    assert len(arrived.refused) == 1


def test_a_file_longer_than_allowed_is_refused_unread(tmp_path):
    (tmp_path / "long.json").write_bytes(GOOD)
    assert "longer than 100 bytes" in refused(walked(tmp_path, largest=100))[0]


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path):
    assert "cannot be opened" in refused(walked(tmp_path / "gone.json"))[0]


def zipped(**files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"{name}.json", content)
    return out.getvalue()


def tarred(mode, **files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(f"{name}.json")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


PACKED = {
    "a.zip": zipped(a=GOOD, b=bundle(ada, reading(3))),
    "a.tar": tarred("w", a=GOOD, b=bundle(ada, reading(3))),
    "a.tar.gz": tarred("w:gz", a=GOOD, b=bundle(ada, reading(3))),
    "a.tar.xz": tarred("w:xz", a=GOOD, b=bundle(ada, reading(3))),
    "a.tar.bz2": tarred("w:bz2", a=GOOD, b=bundle(ada, reading(3))),
}


@pytest.mark.parametrize("name", PACKED)
def test_an_archive_is_read_member_by_member(name, tmp_path):
    (tmp_path / name).write_bytes(PACKED[name])
    assert len(facts(walked(tmp_path))) == 3


@pytest.mark.parametrize("name", PACKED)
def test_a_broken_archive_is_refused_after_what_came(name, tmp_path):
    cut = 700 if name == "a.tar" else len(PACKED[name]) // 2
    (tmp_path / name).write_bytes(PACKED[name][:cut])
    assert refused(walked(tmp_path))


def test_one_spoilt_member_of_a_zip_costs_only_itself(tmp_path):
    packed = bytearray(zipped(a=bundle(ada, reading(1)), b=GOOD))
    packed[60:64] = b"\xff\xff\xff\xff"
    (tmp_path / "a.zip").write_bytes(packed)
    arrived = walked(tmp_path)
    assert len(facts(arrived)) == 2
    assert "broken in its archive" in refused(arrived)[0]


def test_a_single_packed_file_is_read(tmp_path):
    (tmp_path / "letter.json.gz").write_bytes(gzip.compress(GOOD))
    assert len(facts(walked(tmp_path))) == 2


def test_a_bomb_does_not_go_off(tmp_path):
    (tmp_path / "b.zip").write_bytes(zipped(bomb=b"{" + b" " * 40_000_000, good=GOOD))
    arrived = walked(tmp_path, largest=1 << 20)
    assert any("unpacks to more" in r for r in refused(arrived))
    assert len(facts(arrived)) == 2


def test_an_archive_in_an_archive_is_refused(tmp_path):
    (tmp_path / "b.zip").write_bytes(zipped(inner=zipped(a=GOOD)))
    assert "archive inside an archive" in refused(walked(tmp_path))[0]


def test_people_are_met_before_their_facts_in_a_folder_of_exports(tmp_path):
    import orjson

    early = reading(1, effectiveDateTime="1970-01-01T00:00:00Z")
    (tmp_path / "Observation.ndjson").write_bytes(orjson.dumps(early))
    (tmp_path / "Patient.ndjson").write_bytes(orjson.dumps(ada))
    assert "before the person's birth" in refused(walked(tmp_path))[0]


def test_a_source_that_trips_over_a_file_does_not_end_the_walk(monkeypatch, tmp_path):
    from dataclasses import replace

    from medtwin.sources import door, fhir

    def trip(what, options):
        raise KeyError("oops")
        yield

    clumsy = {"fhir": replace(fhir.source, read=trip)}
    monkeypatch.setattr(door, "sources", lambda: clumsy)
    (tmp_path / "a.json").write_bytes(GOOD)
    (tmp_path / "b.json").write_bytes(GOOD)
    arrived = walked(tmp_path)
    assert len(refused(arrived)) == 2
    assert arrived[0].original == GOOD


def test_the_same_file_twice_gives_the_same_facts_twice_and_no_others(tmp_path):
    (tmp_path / "a.json").write_bytes(GOOD)
    (tmp_path / "b.json").write_bytes(GOOD)
    told = facts(walked(tmp_path))
    assert told[:2] == told[2:]


def test_synthea_is_understood_kept_or_refused_for_a_reason_of_its_own(shared):
    from collections import Counter
    from itertools import islice

    from medtwin.sources.door import read
    from medtwin.sources.source import Options

    walk = read([shared / "data/synthea_r4_dev/synthea_r4_dev.tar.xz"], Options(now))
    arrived = list(islice(walk, 8000))
    assert all(a.facts or a.kept or a.person or a.refused for a in arrived)
    assert all(a.about for a in arrived if a.facts)
    words = Counter(r.because.split(" from")[0].split(" 7")[0] for a in arrived for r in a.refused)
    # Known slips of that Synthea version: pressures without a unit, protein in g/L called g/dL.
    assert all("pressure in no unit" in w or "total protein" in w for w in words)
