from datetime import date
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from medtwin.record.person import Person
from medtwin.sources.source import Refusal
from medtwin.vault import receiving, tables
from medtwin.vault.access import Refused
from medtwin.vault.consent import Purpose
from medtwin.vault.vault import Vault

care = Purpose.care


def numbered(made, n, **changed):
    return made.arrived(original=f'{{"number":{n}}}'.encode(), **changed)


def test_every_original_is_understood_or_kept_and_counted(vault, door, made):
    arrived = [
        numbered(made, 1, person=made.person(), kind="Patient"),
        numbered(made, 2, kept="Claim", kind="Claim"),
        numbered(made, 3, kept="Claim", kind="Claim"),
        made.arrived(made.reading(0), made.reading(5), kind="Observation"),
    ]
    receipt = vault.receive(door.operator, arrived, "invented")
    assert (receipt.people, receipt.new_people) == (1, 1)
    assert (receipt.facts, receipt.duplicates, receipt.originals) == (2, 0, 4)
    assert receipt.understood == {"Patient": 1, "Observation": 1}
    assert receipt.kept == {"Claim": 2}


def test_the_same_import_twice_adds_nothing(vault, door, made):
    arrived = [made.arrived(made.reading(i), original=b"%d" % i) for i in range(5)]
    vault.receive(door.operator, arrived, "invented")
    again = vault.receive(door.operator, arrived, "invented")
    assert (again.new_people, again.facts, again.originals) == (0, 0, 0)
    assert (again.people, again.duplicates) == (1, 5)


def test_a_bundle_with_two_patients_keeps_them_apart(vault, door, made):
    arrived = [made.arrived(made.reading(i), who=f"fhir|{i}") for i in (1, 2)]
    assert vault.receive(door.operator, arrived, "invented", [care]).new_people == 2
    for one in vault.patients(door.operator):
        assert len(vault.record(door.system, one.patient, care)) == 1


def test_facts_that_name_nobody_are_refused_and_their_original_kept(vault, door, made):
    receipt = vault.receive(door.operator, [made.arrived(made.reading(0), who=None)], "invented")
    assert (receipt.people, receipt.facts, receipt.originals) == (0, 0, 1)
    (refusal,) = receipt.refused
    assert refusal.because == "no person is named; a fact is about one person"
    assert refusal.next == "name the person and import again"


def test_what_was_refused_is_kept_apart_with_its_reason_and_listed_by_pseudonym(vault, door, made):
    bad = Refusal("glucose NaN", "fhir|1", "not a number", "correct it", original=b"\x00\xff")
    vault.receive(door.operator, [made.arrived(made.reading(0), refused=(bad,))], "invented")
    vault.receive(door.operator, [made.arrived(made.reading(0), refused=(bad,))], "invented")
    (kept,) = vault.refusals(door.operator)
    (listed,) = vault.patients(door.operator)
    assert kept == Refusal("glucose NaN", listed.patient, "not a number", "correct it", b"\x00\xff")
    with pytest.raises(Refused):
        vault.refusals(door.clinician)


@settings(max_examples=15)
@given(st.lists(st.binary(min_size=1, max_size=2000), max_size=6))
def test_originals_come_back_byte_for_byte(tmp_path_factory, contents):
    from medtwin.sources.source import Arrived
    from medtwin.vault.access import Principal, Role

    operator, system = Principal("o", Role.operator), Principal("s", Role.system)
    arrived = [Arrived(b, "x/y", "z", "a|1", None, (), (), kept="Thing") for b in contents]
    with Vault.open(tmp_path_factory.mktemp("home")) as vault:
        receipt = vault.receive(operator, arrived, "invented", [care])
        for one in vault.patients(operator):
            back = list(vault.originals(system, one.patient, care))
            assert back == list(dict.fromkeys(contents))
    assert receipt.originals == len(set(contents))
    assert receipt.kept.get("Thing", 0) == len(contents)


def test_the_last_word_stands_and_what_it_leaves_unsaid_stays_known(vault, door, made, admitted):
    patient = admitted(care)
    assert vault.who(door.clinician, patient, care) == made.person()
    moved = Person(("pas|7",), "Aaron Dickens-Smith", address=("1 Mill Lane, Leeds",))
    little = Person(("pas|7",), "Aaron Dickens-Smith", sex="unknown")
    for now in (moved, little):
        vault.receive(door.operator, [made.arrived(person=now)], "invented")
    assert vault.who(door.clinician, patient, care) == Person(
        ("fhir|1", "ssn|999-12-3456", "pas|7"),
        "Aaron Dickens-Smith",
        date(1950, 5, 17),
        sex="male",
        address=("1 Mill Lane, Leeds",),
    )


def test_a_poorer_description_in_the_same_delivery_wipes_nothing_either(vault, door, made):
    rich, poor = made.person(), Person(("fhir|1",), "Aaron Dickens")
    both = [made.arrived(person=rich), made.arrived(person=poor, original=b"the second")]
    vault.receive(door.operator, both, "invented", [care])
    (one,) = vault.patients(door.operator)
    assert vault.who(door.clinician, one.patient, care) == rich


def test_somebody_no_source_has_named_has_no_name(vault, door, made):
    vault.receive(door.operator, [made.arrived(made.reading(0))], "invented", [care])
    (one,) = vault.patients(door.operator)
    assert vault.who(door.clinician, one.patient, care).name == ""


def test_only_those_who_import_may_import(vault, door, made):
    with pytest.raises(Refused):
        vault.receive(door.clinician, [made.arrived(made.reading(0))], "invented")
    with pytest.raises(Refused):
        vault.receive(door.clinician, [], "invented")
    assert vault.patients(door.operator) == ()


def test_a_basis_and_its_grants_are_written_down(vault, door, admitted):
    patient = admitted(care, Purpose.twin)
    (listed,) = vault.patients(door.operator)
    assert listed.basis == "invented"
    assert [(c.purpose, c.by) for c in vault.choices(door.operator, patient)] == [
        (care, "Olga Operator, invented"),
        (Purpose.twin, "Olga Operator, invented"),
    ]


def test_each_batch_is_on_disk_before_it_is_acknowledged(vault, home, door, made, monkeypatch):
    monkeypatch.setattr(receiving, "batch_originals", 3)
    seen, total = [], count()

    def acknowledged(receipt):
        next(total)
        with vault._store.turns.reading() as c:
            seen.append((receipt.originals, len(c.execute(select(tables.originals)).all())))

    arrived = [numbered(made, n) for n in range(8)]
    vault.receive(door.operator, arrived, "invented", acknowledged=acknowledged)
    assert seen == [(3, 3), (3, 6), (2, 8)]


def test_a_source_that_breaks_half_way_loses_nothing_that_was_acknowledged(
    vault, door, made, monkeypatch
):
    monkeypatch.setattr(receiving, "batch_originals", 3)

    def breaks():
        for n in range(5):
            yield made.arrived(made.reading(n), original=b"%d" % n)
        raise OSError("the disk was pulled out")

    with pytest.raises(OSError, match="pulled out"):
        vault.receive(door.operator, breaks(), "invented", [care])
    (one,) = vault.patients(door.operator)
    assert one.facts == len(list(vault.originals(door.system, one.patient, care))) == 3
