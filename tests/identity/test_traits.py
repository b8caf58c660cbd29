"""What of a description tells people apart."""

from datetime import date

import pytest

from medtwin.identity.traits import folded, parts, traits
from medtwin.record.person import Person


@pytest.mark.parametrize(
    ("name", "given", "family"),
    [
        ("Anna Berg", ["anna"], "berg"),
        ("Berg, Anna Maria", ["anna", "maria"], "berg"),
        ("Dr. José Ángel Núñez", ["jose", "angel"], "nunez"),
        ("Jan van der Meer", ["jan"], "van der meer"),
        ("Robert Smith Jr.", ["robert"], "smith"),
        ("Robert Smith, Jr.", ["robert"], "smith"),
        ("Sinéad O\u2019Connor", ["sinead"], "oconnor"),
        ("Abdul218 Harris789", ["abdul"], "harris"),
        ("Cher", [], "cher"),
        ("", [], ""),
    ],
)
def test_names_fall_into_given_and_family(name, given, family):
    assert parts(name) == (given, family)


def test_accents_and_case_do_not_matter():
    assert folded("Müller-Lüdenscheidt") == folded("MULLER LUDENSCHEIDT")


def test_numbers_are_compared_by_their_last_nine_digits():
    one = traits(Person(contact=("+44 7911 123456", "Anna@Example.org ")))
    other = traits(Person(contact=("07911-123456",)))
    assert one.numbers & other.numbers
    assert "anna@example.org" in one.numbers


def test_a_postcode_is_found_in_the_line_of_an_address():
    assert traits(Person(address=("12 High Street, Leeds, LS1 4AP",))).postcode == "ls14ap"
    assert traits(Person(address=("9 Elm Road, Boston, 02115, US",))).postcode == "02115"


def test_what_was_not_said_is_empty():
    nobody = traits(Person(born=date(1950, 1, 1), sex="unknown"))
    assert (nobody.family, nobody.given, nobody.sex, nobody.street) == ("", "", "", "")
