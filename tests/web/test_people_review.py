"""The review page (people_review): who decides, what they see, what each button does."""

import re
from dataclasses import replace

import pytest

from medtwin.sources.source import Arrived
from medtwin.vault.access import Principal, Role
from medtwin.vault.consent import Purpose

PAGE = "/people-review"


def token(html):
    return re.search(r'name="csrf" value="([^"]+)"', html)[1]


def decide(browser, act, **form):
    said = {"csrf": token(browser.get(PAGE).text)} | form
    return browser.post(f"{PAGE}/{act}", data=said, headers={"origin": str(browser.base_url)})


@pytest.fixture
def pair(own_house, own_visitor):
    """Ada arrives again from elsewhere; the pair that stands for it, as a clinician sees it."""
    vault = own_house.vault
    ada = vault.who(Principal("dr.lee", Role.clinician), own_house.people["ada"], Purpose.care)
    again = replace(ada, identifiers=("elsewhere|7",), name="Example, Ada")
    take_in(vault, again)
    pairs = own_visitor("dr.lee").get(f"/api{PAGE}").json()["pairs"]
    return next(p for p in pairs if own_house.people["ada"] in (p["one"], p["other"]))


def take_in(vault, person):
    arrived = Arrived(b"again", "text/plain", "by hand", "elsewhere|7", person, (), ())
    operator = Principal("op", Role.operator)
    vault.receive(operator, [arrived], "they agreed in writing", (Purpose.care, Purpose.twin))


def test_both_stand_side_by_side_with_what_agrees_and_what_differs(pair):
    rows = {r["trait"]: r for r in pair["rows"]}
    assert {rows["name"]["one"], rows["name"]["other"]} == {"Ada Example", "Example, Ada"}
    assert (rows["name"]["word"], rows["born"]["word"]) == ("differs", "the same")
    assert rows["identifiers"]["word"] == "differs"
    assert "born on the same day" in pair["found"]


def test_an_operator_decides_by_reasons_without_seeing_a_name(own_visitor, pair):
    page = own_visitor("op").get(PAGE).text
    assert pair["one"] in page
    assert "Born on the same day" in page
    assert "Ada" not in page


@pytest.mark.parametrize("name", ["rhea", "ada"])
def test_nobody_else_opens_it(own_visitor, pair, name):
    browser = own_visitor(name)
    assert browser.get(PAGE).status_code == 403
    assert "Same person?" not in browser.get("/worklist" if name == "rhea" else "/own").text


def test_joining_reads_both_as_one_and_parting_undoes_it(own_house, own_visitor, pair):
    browser, two = own_visitor("dr.lee"), {"one": pair["one"], "other": pair["other"]}
    assert decide(browser, "join", **two, because="same passport").status_code == 303
    told = browser.get(f"/api{PAGE}").json()
    (linked,) = told["linked"]
    assert "dr.lee" in linked["decided"]
    assert "same passport" in linked["decided"]
    assert pair["one"] not in [p["one"] for p in told["pairs"] if p["other"] == pair["other"]]
    assert decide(browser, "part", **two, because="a mistake").status_code == 303
    assert browser.get(f"/api{PAGE}").json()["linked"] == []


def test_left_apart_and_put_off_do_what_they_say(own_visitor, pair):
    browser, two = own_visitor("dr.lee"), {"one": pair["one"], "other": pair["other"]}
    assert decide(browser, "later", **two).status_code == 303
    last = browser.get(f"/api{PAGE}").json()["pairs"][-1]
    assert (last["one"], last["put_off"]) == (pair["one"], True)
    assert decide(browser, "apart", **two, because="twins").status_code == 303
    left = browser.get(f"/api{PAGE}").json()["pairs"]
    assert two not in [{"one": p["one"], "other": p["other"]} for p in left]


def test_a_decision_without_a_reason_is_refused_with_what_to_do(own_visitor, pair):
    browser, two = own_visitor("dr.lee"), {"one": pair["one"], "other": pair["other"]}
    answer = decide(browser, "join", **two)
    assert answer.status_code == 409
    assert "say why" in answer.text
