"""Who somebody is, as on a wristband."""

from datetime import UTC, date, datetime

from medtwin.record.person import Person
from medtwin.web.views.people import described

now = datetime(2026, 3, 1, tzinfo=UTC)


def test_the_age_of_the_living_is_that_of_today() -> None:
    person = Person(("mrn|1",), "Anna", born=date(1980, 3, 2), sex="female")
    assert described(person, now) == "female, 45 years"


def test_a_person_who_died_does_not_grow_older() -> None:
    died = datetime(1985, 1, 28, tzinfo=UTC)
    person = Person(("mrn|2",), "Eve", born=date(1922, 9, 25), died=died, sex="female")
    assert described(person, now) == "female, died 28 January 1985, aged 62 years"
