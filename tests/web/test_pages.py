import re

import pytest

from medtwin.vault.access import Principal, Role

ERROR = {"what", "whose", "allowed", "next"}


def test_the_worklist_puts_the_most_pressing_first_and_says_why(visitor, house):
    lines = visitor("dr.lee").get("/api/worklist").json()["lines"]
    assert [line["patient"] for line in lines[:2]] == [house.people["ada"], house.people["cleo"]]
    assert lines[0]["because"] == "Soon: Glucose may fall low"
    assert lines[0]["more"].startswith("54 % chance below 70 mg/dL")
    assert lines[0]["data_age"] == "5 min ago"
    assert lines[1]["because"] == "Note: No glucose data"


def test_somebody_who_was_never_asked_is_listed_by_pseudonym_only(visitor, house):
    browser = visitor("dr.lee")
    lines = {line["patient"]: line for line in browser.get("/api/worklist").json()["lines"]}
    ben = lines[house.people["ben"]]
    assert (ben["name"], ben["glucose"]) == (house.people["ben"], "")
    assert ben["more"] == "never asked about care"
    assert "Ben Example" not in browser.get("/worklist").text


@pytest.mark.parametrize("name", ["op", "rhea"])
def test_operators_and_researchers_see_pseudonyms_and_counts_only(visitor, name):
    page = visitor(name).get("/worklist").text
    for person in ("Ada", "Cleo", "Ben", "mg/dL</strong>"):
        assert person not in page


def test_the_list_can_be_searched_and_filtered(visitor):
    browser = visitor("dr.lee")
    found = browser.get("/api/worklist", params={"q": "cleo"}).json()["lines"]
    assert [line["name"] for line in found] == ["Cleo Example"]
    waiting = browser.get("/api/worklist", params={"show": "waiting"}).json()["lines"]
    assert {line["name"] for line in waiting} == {"Ada Example", "Cleo Example"}
    assert "Nobody matches" in browser.get("/worklist", params={"q": "zzz"}).text


def test_the_patient_page_shows_value_unit_age_and_source(visitor, house):
    page = visitor("dr.lee").get(f"/api/patients/{house.people['ada']}").json()
    glucose = page["vitals"]["tiles"][0]
    assert glucose["code"] == "glucose"
    assert (glucose["unit"], glucose["age"], glucose["source"]) == ("mg/dL", "5 min ago", "sensor")
    lanes = [lane["name"] for lane in page["journey"]["picture"]["lanes"]]
    assert lanes == ["Conditions", "Measurements", "Meals", "Doses"]


def test_a_reader_of_mmol_sees_mmol_everywhere(visitor, house):
    browser = visitor("dr.lee")
    there = f"/api/patients/{house.people['ada']}"
    mass = browser.get(there).json()
    browser.cookies.set("units", "mmol/L")
    molar = browser.get(there).json()
    value = float(mass["vitals"]["tiles"][0]["value"])
    # 18.0156 mg/dL of glucose are 1 mmol/L (molar mass 180.156 g/mol)
    assert float(molar["vitals"]["tiles"][0]["value"]) == pytest.approx(value / 18.0156, abs=0.06)
    assert molar["vitals"]["tiles"][0]["unit"] == "mmol/L"
    assert "3.9 mmol/L" in molar["alerts"]["waiting"][0]["because"]
    assert "mg/dL" not in str(molar["glucose"])


def test_the_forecast_has_three_intervals_one_inside_the_other(visitor, house):
    glucose = visitor("dr.lee").get(f"/api/patients/{house.people['ada']}/glucose").json()
    _, _, *lines = glucose["chart"]["data"]["data"]
    rows = [row for row in zip(*lines, strict=True) if row[0] is not None]
    assert len(rows) == 48
    for high90, low90, high80, low80, high50, low50, middle in rows:
        assert low90 <= low80 <= low50 <= middle <= high50 <= high80 <= high90
    assert glucose["made"]
    assert [r["when"] for r in glucose["reads"]] == ["in 30 min", "in 60 min", "in 120 min"]


def test_a_unit_of_insulin_lowers_and_a_meal_raises_each_with_an_interval(visitor, house):
    there = f"/api/patients/{house.people['ada']}/what-if?plan=0-1-0&plan=40-0-0"
    comparison = visitor("dr.lee").get(there).json()["comparison"]
    dose, meal = comparison["outcomes"]
    assert dose["cells"][1][0].startswith("\N{MINUS SIGN}")
    assert meal["cells"][1][0].startswith("+")
    assert dose["cells"][1][1].startswith("90 %: ")
    assert comparison["plans"] == ["1 U now", "40 g now", "nothing more"]


def test_up_to_three_plans_can_be_pinned(visitor, house):
    browser, there = visitor("dr.lee"), f"/api/patients/{house.people['ada']}/what-if"
    three = "plan=10-0-0&plan=20-0-0&plan=30-0-0"
    assert len(browser.get(f"{there}?{three}").json()["pinned"]) == 3
    more = browser.get(f"{there}?{three}&carbohydrate=40&pin=1").json()
    assert more["full"]
    assert len(more["pinned"]) == 3
    assert browser.get(f"{there}?{three}&plan=40-0-0").status_code == 422


def test_without_consent_to_the_twin_the_record_is_shown_and_nothing_is_computed(visitor, house):
    browser, there = visitor("dr.lee"), f"/patients/{house.people['cleo']}"
    page = browser.get(there).text
    assert "Cleo Example" in page
    assert "No forecast: no consent" in page
    assert "never asked about twin" in page.casefold()
    data = browser.get(f"/api{there}/what-if?carbohydrate=40").json()
    assert data["comparison"] is None
    assert data["closed"]["because"] == "never asked about twin"


def test_without_consent_to_care_there_is_a_page_that_says_so(visitor, house):
    answer = visitor("dr.lee").get(f"/patients/{house.people['ben']}")
    assert answer.status_code == 403
    assert "never asked about care" in answer.text.casefold()
    assert "Ben Example" not in answer.text


def test_a_record_that_ended_shows_that_it_ended_and_its_certificate(visitor, house):
    browser, dora = visitor("dr.lee"), house.people["dora"]
    answer = browser.get(f"/patients/{dora}")
    assert answer.status_code == 410
    assert f"/certificate/{dora}" in answer.text
    proof = browser.get(f"/api/certificate/{dora}").json()
    assert proof["because"] == "she asked for it"
    assert browser.get(f"/certificate/{house.people['ada']}").status_code == 404


def test_an_alert_is_one_row_with_a_count_and_can_be_acknowledged(own_visitor, own_house):
    browser, there = own_visitor("dr.lee"), f"/patients/{own_house.people['ada']}"
    page = browser.get(there).text
    assert page.count("54 % chance below 70 mg/dL") == 1
    assert "seen 3 times, shown once" in page
    number = re.search(r'name="alert" value="(\d+)"', page)[1]
    mark = re.search(r'name="csrf" value="([0-9a-f]+)"', page)[1]
    done = browser.post(f"{there}/acknowledge", data={"alert": number, "csrf": mark})
    assert done.status_code == 303
    part = browser.get(f"/api{there}/alerts").json()
    assert part["waiting"] == []
    assert part["dealt"][0]["acknowledged"] == "acknowledged by dr.lee"


def test_an_alert_of_somebody_else_cannot_be_acknowledged_from_this_page(own_visitor, own_house):
    browser = own_visitor("dr.lee")
    page = browser.get(f"/patients/{own_house.people['cleo']}").text
    number = re.search(r'name="alert" value="(\d+)"', page)[1]
    mark = re.search(r'name="csrf" value="([0-9a-f]+)"', page)[1]
    there = f"/patients/{own_house.people['ada']}/acknowledge"
    assert browser.post(there, data={"alert": number, "csrf": mark}).status_code == 422


def test_a_person_reads_their_own_page_in_plain_words(visitor):
    own = visitor("ada").get("/api/own").json()
    assert re.fullmatch(r"Your glucose is \d+ mg/dL\.", own["plain"]["now"])
    assert "most likely between" in own["plain"]["soon"]
    assert own["plain"]["todo"]
    assert own["call"]


def test_a_person_may_take_a_copy_of_everything_kept_about_them(visitor, house):
    ada = visitor("ada")
    assert "/own/copy" in ada.get("/own").text
    assert "Save the copy" in ada.get("/own/copy").text
    copy = ada.get("/api/own/copy").json()
    operator = Principal("op", Role.operator)
    (kept,) = [p for p in house.vault.patients(operator) if p.patient == house.people["ada"]]
    assert len(copy["facts"]) == kept.facts
    assert {"glucose", "insulin_bolus"} <= {f["code"] for f in copy["facts"]}
    assert visitor("dr.lee").get("/api/own/copy").status_code == 403


def test_a_choice_holds_at_once(own_visitor, own_house):
    ada, doctor = own_visitor("ada"), own_visitor("dr.lee")
    there = f"/patients/{own_house.people['ada']}"
    assert doctor.get(there).status_code == 200
    mark = re.search(r'name="csrf" value="([0-9a-f]+)"', ada.get("/own").text)[1]
    form = {"purpose": "twin", "yes": "0", "csrf": mark}
    assert ada.post("/own/choose", data=form).status_code == 303
    assert "withdrew from twin" in doctor.get(there).text.casefold()
    assert "We do not look ahead for you" in ada.get("/own").text
    ada.post("/own/choose", data=form | {"purpose": "care"})
    assert doctor.get(there).status_code == 403
    assert "withdrew from care" in doctor.get(there).text.casefold()


def test_a_person_sees_who_looked(own_visitor, own_house):
    own_visitor("dr.lee").get(f"/patients/{own_house.people['ada']}")
    looked = own_visitor("ada").get("/api/own").json()["looked"]
    assert {"dr.lee (clinician)"} <= {line["who"] for line in looked}


def test_a_patient_cannot_open_the_pages_of_staff_nor_staff_a_persons_own(visitor, house):
    ada = visitor("ada")
    assert ada.get("/worklist").status_code == 403
    assert ada.get(f"/patients/{house.people['cleo']}").status_code == 403
    assert visitor("dr.lee").get("/own").status_code == 403


def test_a_name_with_a_script_in_it_is_only_a_name(visitor, house):
    browser = visitor("dr.lee")
    for path in ("/worklist", f"/patients/{house.people['eve']}"):
        page = browser.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("carbohydrate=1e9", "0 to 150"),
        ("carbohydrate=nan", "0 to 150"),
        ("bolus=lots", "0 to 20"),
        ("bolus=-1", "0 to 20"),
        ("minutes=inf", "0 to 180"),
        ("plan=1-2", "45-4.5-15"),
        ("plan=9999-0-0", "45-4.5-15"),
        ("plan=nan-0-0", "45-4.5-15"),
    ],
)
def test_a_plan_outside_its_limits_is_refused_with_the_limits(visitor, house, query, word):
    answer = visitor("dr.lee").get(f"/api/patients/{house.people['ada']}/what-if?{query}")
    assert answer.status_code == 422
    assert set(answer.json()["error"]) == ERROR
    assert word in answer.json()["error"]["allowed"]


@pytest.mark.parametrize(
    "path",
    ["/api/patients/nobody", "/api/nothing", "/api/certificate/x"],
)
def test_every_error_has_the_one_shape(visitor, path):
    answer = visitor("dr.lee").get(path)
    assert answer.status_code in (403, 404)
    assert set(answer.json()["error"]) == ERROR


@pytest.mark.parametrize("value", ["0", "x", "' OR 1=1 --", "<b>"])
def test_a_span_that_is_not_offered_is_refused(visitor, house, value):
    there = f"/api/patients/{house.people['ada']}"
    assert visitor("dr.lee").get(there, params={"span": value}).status_code == 422
    assert visitor("dr.lee").get(there, params={"hours": value}).status_code == 422
