"""What is told of a twin that has ended."""

from hashlib import sha256

from medtwin.physiology.glucose_living import model
from medtwin.twin.assimilate import assimilate
from medtwin.twin.bytes import dumped
from medtwin.twin.retirement import ending
from medtwin.twin.twin import born
from tests.twin.people import at, dawn, readings


def test_the_certificate_names_the_model_the_span_and_the_twins_by_their_digests() -> None:
    first = born("anna", model, dawn)
    last = assimilate(first, readings(range(0, 60, 5)))
    told = ending([first, last], at(100), "she asked for it")
    assert told.digests[1] == sha256(dumped(last)).hexdigest()
    assert told.facts == 12
    assert told.followed_since == dawn
    assert "she asked for it" in str(told)
    assert "anna" not in str(told)


def test_a_twin_that_never_was_still_has_an_ending() -> None:
    assert "never begun" in str(ending([], dawn, "consent was withdrawn"))
