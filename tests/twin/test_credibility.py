"""A model's card says where each number is from, and what is missing."""

from dataclasses import replace

import pytest

import medtwin.physiology
from medtwin.catalogue import everything
from medtwin.engine.model import Model
from medtwin.physiology import type1
from medtwin.record import codes
from medtwin.twin.credibility import card

library = everything(medtwin.physiology, Model)


def test_the_card_of_the_type_1_adult_shows_what_the_published_table_says():
    told = card(type1.model)
    by_name = {p.name: p for p in told.parameters}
    assert by_name["Fsnc"].median == 1.0  # Dalla Man 2007, Table I
    assert by_name["Fsnc"].spread == 0.0
    assert "Dalla Man 2007" in by_name["Fsnc"].source
    assert told.shows == (codes.glucose,)
    assert ("plasma glucose", "mg/kg") in told.states


def test_what_a_model_lacks_is_said_in_a_sentence_each():
    (missed,) = card(replace(type1.model, trust="")).lacks
    assert "when to trust it" in missed


def test_a_model_that_cites_nothing_is_refused():
    with pytest.raises(ValueError, match="cites nothing"):
        replace(type1.model, reference=" ")


@pytest.mark.parametrize("name", library)
def test_every_model_of_the_house_cites_and_says_when_to_trust_it_and_where_its_numbers_are_from(
    name,
):
    assert card(library[name]).lacks == ()
