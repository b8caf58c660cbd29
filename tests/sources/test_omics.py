from datetime import UTC, datetime

import pytest

from medtwin.sources.door import received
from medtwin.sources.source import Options

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HEAD = "analyte,value,unit,low,high,mean,sd\n"


def panel(text, name="panel.csv"):
    return list(received(name, text.encode(), Options(NOW)))


def test_a_protein_comes_with_its_range_and_how_far_it_lies_from_it():
    (arrived,) = panel(HEAD + "IL-6,12,pg/mL,0,7.84,,\n")
    value, far = arrived.facts
    assert (value.code.id, value.value, value.code.unit) == ("omics|IL-6", 12, "pg/mL")
    # A range of 0 to 7.84 has its middle at 3.92 and a standard deviation of 7.84 / 3.92 = 2.
    assert far.value == pytest.approx((12 - 3.92) / 2)
    assert arrived.places == ("line 2", "line 2")


def test_a_prior_speaks_before_the_range():
    (arrived,) = panel(HEAD + "glutamine,500,umol/L,400,700,600,50\n")
    assert arrived.facts[1].value == -2
    assert arrived.facts[1].says == "prior 600 (sd 50)"


def test_bad_lines_are_refused_apart_and_the_rest_goes_on():
    (arrived,) = panel(HEAD + "a,x,1,,,,\n,3,1,,,,\nb,4,1,,,,\nc,1,1,5,5,,\n")
    assert [f.code.id for f in arrived.facts] == ["omics|b"]
    assert len(arrived.refused) == 3


def test_each_person_has_only_their_own_lines():
    first, second = panel("person,analyte,value,unit\nmrn|1,a,1,g/L\nmrn|2,a,2,g/L\n")
    assert (first.about, second.about) == ("mrn|1", "mrn|2")
    assert b"mrn|2" not in first.original
