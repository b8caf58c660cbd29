from datetime import timedelta

import pytest

from medtwin.record.codes import Kind, opened
from medtwin.record.observation import Observation
from medtwin.sources.source import Arrived
from medtwin.vault.access import Principal, Role

tablets = opened("tablets", "ramipril 5 mg", "1", Kind.medication)


@pytest.fixture
def supplied(own_house, moment):
    """Ada was handed 30 tablets 100, 70 and 30 days ago: nothing for ten days in between."""

    def handed(days_ago):
        at = moment - timedelta(days=days_ago)
        until = at + timedelta(days=30)
        return Observation(at, tablets, 1, "pharmacy", at, until, "ramipril 5 mg")

    facts = tuple(handed(d) for d in (100, 70, 30))
    arrived = Arrived(b"supplies", "text/plain", "by hand", "test|Ada Example", None, facts, ())
    own_house.vault.receive(Principal("op", Role.operator), [arrived], "they agreed in writing")
    return own_house


def test_the_patient_page_says_how_long_medicines_lasted_and_names_the_gap(supplied, own_visitor):
    page = own_visitor("dr.lee").get(f"/api/patients/{supplied.people['ada']}").json()
    (row,) = [r for r in page["adherence"]["rows"] if r["name"] == "ramipril 5 mg"]
    # 90 of 100 days; the third supply ends today
    assert row["said"].startswith("covered on 90% of 100 days; one gap of 10 days")
    assert "supplied for 90% of them (MPR)" in row["said"]
    assert len(row["gaps"]) == 1
    assert row["gaps"][0].startswith("nothing for 10 days: ")
    html = own_visitor("dr.lee").get(f"/patients/{supplied.people['ada']}").text
    assert "Medicines at hand" in html
    assert "having is not taking" in html


def test_openings_of_a_dispenser_are_counted_by_day(house, visitor):
    page = visitor("dr.lee").get(f"/api/patients/{house.people['ada']}").json()
    (row,) = [r for r in page["adherence"]["rows"] if r["by"] == "openings of the dispenser"]
    # warfarin from the dispenser on each of the last 28 days
    assert row["said"] == "opened on 28 of 28 days (100%)"
