"""Two records of one person are read as one, and parting them gives back what was before."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from medtwin.record.person import Person
from medtwin.sources.source import MERGE
from medtwin.vault.access import Principal, Refused, Role
from medtwin.vault.acquainted import Sure
from medtwin.vault.consent import Purpose
from medtwin.vault.links import CannotLink, State
from medtwin.vault.resource_people import seen_by
from medtwin.vault.tables import patients
from medtwin.vault.vault import Vault

care, research = Purpose.care, Purpose.research
anna = Person(("a|1",), "Anna Maria Berg", date(1961, 4, 9), sex="female",
              address=("12 High Street, Leeds, LS1 4AP",))  # fmt: skip
again = Person(("b|9",), "Berg, Anna", date(1961, 4, 9), address=("12 High Street, Leeds",))
stranger = Person(("a|2",), "Tom Quill", date(1990, 1, 2), sex="male")


def taken_in(vault, door, made, who, person, *facts, grants=(care,), **changed):
    before = {one.patient for one in vault.patients(door.operator)}
    said = {"who": who, "person": person, "original": who.encode()} | changed
    vault.receive(door.operator, [made.arrived(*facts, **said)], "invented", grants)
    return next(iter({one.patient for one in vault.patients(door.operator)} - before), None)


@pytest.fixture
def two(vault, door, made):
    """Anna, as the hospital and as the laboratory know her; they share one reading."""
    one = taken_in(vault, door, made, "a|1", anna, made.reading(0, 100), made.reading(5, 101))
    other = taken_in(vault, door, made, "b|9", again, made.reading(5, 101), made.reading(9, 140))
    return one, other


def values(vault, who, patient, made, purpose=care):
    return vault.record(who, patient, purpose)[made.code].current.value.tolist()


def test_somebody_who_may_be_known_is_put_on_the_review_list_with_reasons(vault, door, made, two):
    taken_in(vault, door, made, "a|2", stranger)
    (pair,) = vault.review(door.operator)
    assert {pair.one, pair.other} == set(two)
    assert pair.state is State.waiting
    assert pair.chance > 0.9
    assert "born on the same day" in pair.found
    assert values(vault, door.clinician, two[0], made) == [100, 101]


def test_reasons_name_nobody(vault, door, two):
    (pair,) = vault.review(door.operator)
    assert not any(word in " ".join(pair.found) for word in ("Berg", "Anna", "1961", "Leeds"))


def test_linked_records_are_read_as_one_and_what_both_say_counts_once(vault, door, made, two):
    one, other = two
    vault.link(door.operator, one, other, "same passport")
    for name in two:
        record = vault.record(door.clinician, name, care)
        assert record.patient == name
        assert len(record) == 3
        assert values(vault, door.clinician, name, made) == [100, 101, 140]
    (listed,) = vault.patients(door.operator)
    assert (listed.patient, listed.linked) == (one, (other,))
    assert set(vault.originals(door.clinician, one, care)) == {b"a|1", b"b|9"}
    assert vault.origin(door.clinician, one, made.reading(9, 140), care).original == b"b|9"
    assert vault.who(door.clinician, one, care).identifiers == ("b|9", "a|1")
    _, news = vault.news(Principal("round", Role.system), one, care, 0)
    assert [o.value for o in news] == [100, 101, 101, 140]
    end = made.reading(60).at
    chart = vault.chart(door.clinician, other, made.code.id, made.at, end, care)
    assert chart.mean.tolist() == [100, 101, 140]


def test_unlinking_gives_back_exactly_what_was_before(vault, door, made, two):
    one, other = two

    def seen():
        return (
            [values(vault, door.clinician, name, made) for name in two],
            [vault.who(door.clinician, name, care) for name in two],
            vault.patients(door.operator),
        )

    before = seen()
    vault.link(door.operator, one, other, "same passport")
    assert seen() != before
    vault.unlink(door.operator, other, one, "two passports, it turned out")
    assert seen() == before
    assert vault.review(door.operator) == ()
    assert vault.links(door.operator) == ()


@pytest.mark.parametrize("half", [0, 1])
def test_what_one_record_refuses_both_refuse(vault, door, made, two, half):
    vault.link(door.operator, *two, "same passport")
    vault.choose(door.operator, two[half], care, yes=False)
    for name in two:
        with pytest.raises(Refused, match="withdrew from care"):
            vault.record(door.clinician, name, care)
    (listed,) = vault.patients(door.operator)
    assert listed.grants[care] is False


def test_silence_of_one_record_is_no_for_both_and_says_whose(vault, door, made, two):
    vault.choose(door.operator, two[0], research, yes=True)
    assert len(vault.record(door.researcher, two[0], research)) == 2
    vault.link(door.operator, *two, "same passport")
    with pytest.raises(Refused, match=f"never asked about research, as {two[1]}"):
        vault.record(door.researcher, two[0], research)


def test_the_person_themselves_reads_both_of_their_records(vault, door, made, two):
    herself = door.patient(two[0])
    assert values(vault, herself, two[0], made) == [100, 101]
    vault.link(door.operator, *two, "same passport")
    assert values(vault, herself, two[0], made) == [100, 101, 140]
    vault.unlink(door.operator, *two, "a mistake")
    with pytest.raises(Refused):
        vault.record(herself, two[1], care)


def test_link_and_unlink_and_every_read_of_both_stand_in_the_audit_of_both(vault, door, two):
    vault.link(door.operator, *two, "same passport 123")
    vault.record(door.clinician, two[0], care)
    vault.unlink(door.clinician, *two, "a mistake")
    for name in two:
        did = [(line.who, line.action) for line in vault.audit(door.operator, name)][:3]
        assert did == [
            ("Dr Carla Clinic", "unlink records"),
            ("Dr Carla Clinic", "read"),
            ("Olga Operator", "link records"),
        ]
        assert all("passport" not in str(line) for line in vault.audit(door.operator, name))
    assert vault.verify().ok


def test_only_clinicians_and_operators_link_or_see_the_list(vault, door, two):
    for who in (door.researcher, door.system, door.patient(two[0])):
        with pytest.raises(Refused):
            vault.review(who)
        with pytest.raises(Refused):
            vault.link(who, *two, "because")


def test_a_pair_left_apart_leaves_the_list_and_never_comes_back(vault, door, made, two):
    vault.leave_apart(door.operator, *two, "twins")
    assert vault.review(door.operator) == ()
    moved = replace(again, contact=("+44 113 496 0000",))
    vault.receive(door.operator, [made.arrived(who="b|9", person=moved)], "invented")
    assert vault.review(door.operator) == ()


def test_what_is_put_off_stays_at_the_end_of_the_list(vault, door, made, two):
    vault.ask_later(door.operator, *two)
    third = Person(("c|3",), "Tom Quill", date(1990, 1, 2), sex="male")
    taken_in(vault, door, made, "a|2", stranger)
    taken_in(vault, door, made, "c|3", third)
    assert [p.state for p in vault.review(door.operator)] == [State.waiting, State.later]


def test_a_record_is_not_linked_with_itself_nor_twice_nor_without_a_reason(vault, door, two):
    with pytest.raises(CannotLink, match="one record"):
        vault.link(door.operator, two[0], two[0], "because")
    with pytest.raises(CannotLink, match="say why"):
        vault.link(door.operator, *two, " ")
    vault.link(door.operator, *two, "because")
    with pytest.raises(CannotLink, match="read together already"):
        vault.link(door.operator, *two, "because")
    vault.unlink(door.operator, *two, "because")
    with pytest.raises(CannotLink, match="not linked"):
        vault.unlink(door.operator, *two, "because")


def test_a_third_record_joins_the_two(vault, door, made, two):
    third = taken_in(vault, door, made, "d|4", None, made.reading(20, 99))
    vault.link(door.operator, *two, "because")
    vault.link(door.operator, two[1], third, "because")
    assert values(vault, door.clinician, third, made) == [100, 101, 140, 99]
    (listed,) = vault.patients(door.operator)
    assert (listed.patient, set(listed.linked)) == (two[0], {two[1], third})


def test_the_end_of_one_record_is_the_end_of_both_and_of_every_reason(vault, door, two):
    vault.link(door.operator, *two, "because")
    vault.retire(door.operator, two[1], "she asked for it")
    for name in two:
        assert vault.certificate(name) is not None
        with pytest.raises(Refused):
            vault.record(door.clinician, name, care)
    assert "linked with" in vault.certificate(two[0]).because
    assert vault.links(door.operator) == ()
    assert vault.verify().ok


def test_what_a_hospital_merges_is_put_before_somebody(vault, door, made):
    one = taken_in(vault, door, made, "mrn|1", None, made.reading(0))
    other = taken_in(vault, door, made, "mrn|2", None, made.reading(0))
    merge = made.arrived(who="mrn|1", original=b"mrn|2\nmrn|404", kept=MERGE, media="text/plain")
    vault.receive(door.operator, [merge], "invented")
    (pair,) = vault.review(door.operator)
    assert {pair.one, pair.other} == {one, other}
    assert pair.chance is None
    assert "HL7 merge" in pair.found[0]


def test_sure_pairs_are_linked_at_once_only_where_the_setting_says_so(home, clock, door, made):
    with Vault.open(home, clock, sure=Sure.link) as vault:
        one = taken_in(vault, door, made, "a|1", anna, made.reading(0, 100))
        taken_in(vault, door, made, "b|9", again, made.reading(9, 140))
        (pair,) = vault.links(door.operator)
        assert (pair.keep, pair.by) == (one, "the vault")
        assert values(vault, door.clinician, one, made) == [100, 140]


def test_two_people_of_one_identity_system_are_never_linked_unasked(home, clock, door, made):
    twin = replace(anna, identifiers=("a|7",), name="Annika Berg")
    with Vault.open(home, clock, sure=Sure.link) as vault:
        taken_in(vault, door, made, "a|1", anna)
        taken_in(vault, door, made, "a|7", twin)
        assert vault.links(door.operator) == ()
        assert len(vault.review(door.operator)) == 1


def test_somebody_another_process_took_in_is_recognised_too(vault, home, clock, door, made):
    taken_in(vault, door, made, "a|2", stranger)
    with Vault.open(home, clock) as beside:
        taken_in(beside, door, made, "a|1", anna)
    taken_in(vault, door, made, "b|9", again)
    assert len(vault.review(door.operator)) == 1


def test_the_fhir_door_too_holds_back_what_the_other_record_refuses(vault, door, two):
    def seen():
        c = vault._store.turns
        by = seen_by(door.clinician, care)
        with c.reading() as connection:
            names = select(patients.c.patient).where(by.people(patients.c.patient))
            return set(connection.execute(names).scalars())

    vault.link(door.operator, *two, "same passport")
    assert seen() == set(two)
    vault.choose(door.operator, two[1], care, yes=False)
    assert seen() == set()
    vault.unlink(door.operator, *two, "a mistake")
    assert seen() == {two[0]}
