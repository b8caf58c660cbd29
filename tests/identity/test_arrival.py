"""Somebody arrives: are they one of those we know?"""

from dataclasses import replace
from datetime import date
from math import log2

import pytest

from medtwin.identity.arrival import Known, Match, Verdict, matches
from medtwin.identity.comparing import BORN, Crowd, compared
from medtwin.identity.traits import traits
from medtwin.record.person import Person

anna = Person(
    ("urn:hospital:a|123",), "Anna Maria Berg", date(1961, 4, 9), None, "female",
    ("+44 7911 123456",), ("12 High Street, Leeds, LS1 4AP",),
)  # fmt: skip


def among(*known: Person) -> Known:
    them = Known()
    for i, who in enumerate(known):
        them.add(f"p{i}", who)
    return them


def met(newcomer: Person, *known: Person) -> Match | None:
    found = matches(newcomer, among(*known))
    return found[0] if found else None


def test_the_same_description_is_the_same_person():
    found = met(replace(anna, identifiers=()), anna)
    assert found
    assert found.verdict is Verdict.same
    assert "born on the same day" in found.said


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Anne Maria Berg"},
        {"name": "Anna Maria Burg"},
        {"name": "Berg Anna"},
        {"born": date(1961, 9, 4)},
        {"born": date(1961, 4, 8)},
        {"address": (), "contact": ("07911 123456",)},
    ],
    ids=[
        "slip in given name",
        "slip in family name",
        "exchanged",
        "day and month",
        "digit",
        "moved",
    ],
)
def test_one_slip_does_not_part_a_person(change):
    found = met(replace(anna, identifiers=(), **change), anna)
    assert found
    assert found.verdict is Verdict.same


def test_twins_are_never_joined_unasked():
    twin = replace(anna, identifiers=(), name="Clara Ruth Berg")
    found = met(twin, anna)
    assert found
    assert found.verdict is Verdict.review
    assert "another given name" in found.said


def test_a_namesake_of_another_age_under_one_roof_is_never_joined_unasked():
    found = met(replace(anna, identifiers=(), born=date(1989, 10, 22)), anna)
    assert found is None or found.verdict is Verdict.review


def test_two_people_with_one_identifier_are_put_before_somebody():
    other = Person(anna.identifiers, "Peter Stone", date(1990, 12, 1), None, "male")
    found = met(other, anna)
    assert found
    assert found.verdict is Verdict.review
    assert "an identifier in common" in found.said


def test_different_numbers_from_one_register_are_never_joined_unasked():
    found = met(replace(anna, identifiers=("urn:hospital:a|999",)), anna)
    assert found
    assert found.verdict is Verdict.review
    assert "different numbers from the same register" in found.said


def test_a_name_alone_is_not_enough():
    found = met(Person(name="Anna Berg"), anna)
    assert found is None or found.verdict is Verdict.review


def test_strangers_are_not_mentioned():
    assert met(Person(name="Peter Stone", born=date(1990, 12, 1)), anna) is None


def test_who_was_dropped_is_not_found():
    known = among(anna)
    known.drop("p0")
    assert matches(anna, known) == []


def test_a_likeness_is_worth_log2_of_m_by_u():
    said = {f.trait: f.bits for f in compared(traits(anna), traits(anna), Crowd())}
    assert said["born"] == pytest.approx(log2(BORN[0][1] / BORN[0][2]))


def test_a_rare_name_says_more_than_a_common_one():
    one = traits(replace(anna, address=(), contact=()))
    rare = compared(one, one, Crowd(10_000, {"berg": 1e-4}))
    common = compared(one, one, Crowd(10_000, {"berg": 1e-2}))
    gained = rare[0].bits - common[0].bits
    assert rare[0].trait == "household"
    assert gained == pytest.approx(log2(100))


@pytest.mark.parametrize("level", range(4))
def test_the_levels_of_a_birth_date_are_told_apart(level):
    born = [date(1961, 4, 9), date(1961, 9, 4), date(1961, 11, 23), date(1985, 7, 30)][level]
    said = compared(traits(anna), traits(replace(anna, born=born)), Crowd())
    assert next(f.said for f in said if f.trait == "born") == BORN[level][0]
