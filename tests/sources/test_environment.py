"""Air and heat by place and day, joined to whoever lives there."""

from datetime import UTC, date, datetime

import pytest

from medtwin.record import codes
from medtwin.record.person import Person
from medtwin.sources.environment import around, surroundings
from medtwin.sources.source import Arrived
from medtwin.sources.table_file import BadTable
from medtwin.vault.access import Principal, Refused, Role
from medtwin.vault.consent import Purpose
from medtwin.vault.vault import Vault

noon = datetime(2026, 7, 3, 12, tzinfo=UTC)
table = b"""place,day,pm25,heat_index
LS1 4AP,2026-07-01,12.5,24
ls14ap,2026-07-02,80,
York,2026-07-01,9,21
York,2026-07-41,9,21
York,2026-07-02,-4,21
"""
leeds = Person(("a|1",), "Anna Berg", date(1961, 4, 9), address=("12 High Street, Leeds, LS1 4AP",))
york = Person(("a|2",), "Tom Quill", address=("3 Stone Gate, York",))
nowhere = Person(("a|3",), "Ned Noone")


def told():
    return surroundings("air.csv", table, noon)


def test_a_day_at_a_place_becomes_facts_with_source_and_place():
    found = around(leeds, told())
    said = [(f.code, f.at.day, f.value, p) for f, p in zip(found.facts, found.places, strict=True)]
    assert said == [
        (codes.pm25, 1, 12.5, "line 2"),
        (codes.heat_index, 1, 24.0, "line 2"),
        (codes.pm25, 2, 80.0, "line 3"),
    ]
    assert {f.source for f in found.facts} == {"air.csv, LS1 4AP", "air.csv, ls14ap"}
    assert found.original.decode().splitlines()[2] == "ls14ap,2026-07-02,80,"


def test_a_town_is_found_where_no_postcode_is_told_and_nobody_without_a_place_is():
    assert [f.value for f in around(york, told()).facts] == [9, 21]
    assert around(nowhere, told()) is None


def test_lines_that_cannot_be_are_refused_with_their_number():
    because = [(r.what, r.because) for r in told().refused]
    assert [what for what, _ in because] == ["line 5 of air.csv", "line 6 of air.csv"]
    assert "outside 0 to 5000" in because[1][1]


def test_a_table_without_places_is_refused_with_what_is_needed():
    with pytest.raises(BadTable, match="place, day and one of pm25"):
        surroundings("air.csv", b"station,day,pm25\n", noon)


def test_the_vault_joins_it_to_people_and_keeps_it_once(tmp_path):
    operator, clinician = Principal("op", Role.operator), Principal("dr", Role.clinician)
    with Vault.open(tmp_path / "home", lambda: noon) as vault:
        for who in (leeds, york, nowhere):
            one = Arrived(b"x", "text/plain", "by hand", who.identifiers[0], who, (), ())
            vault.receive(operator, [one], "invented", [Purpose.care])
        first = vault.surround(operator, lambda who: around(who, told()), "public tables")
        again = vault.surround(operator, lambda who: around(who, told()), "public tables")
        assert (first.people, first.facts, again.facts) == (2, 5, 0)
        kept = [one.patient for one in vault.patients(operator)]
        records = [vault.record(clinician, patient, Purpose.care) for patient in kept]
        dust = sorted(r[codes.pm25].value.tolist() for r in records)
        assert dust == [[], [9], [12.5, 80]]
        with pytest.raises(Refused):
            vault.surround(clinician, lambda who: around(who, told()), "curious")
