"""Where each number came from, in two clicks: every kind of original, amended, withdrawn, drawn."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import orjson
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from medtwin.record import codes
from medtwin.record.codes import Kind
from medtwin.record.observation import Observation
from medtwin.record.waveform import Waveform
from medtwin.sources.door import received
from medtwin.sources.source import Arrived, Options, Refusal
from medtwin.vault.access import Principal, Role
from medtwin.vault.consent import Purpose
from medtwin.vault.vault import Vault
from medtwin.web.app import build

NOW = datetime(2031, 3, 14, 15, 9, tzinfo=UTC)
WORDS = "a long password for tests"
OP = Principal("op", Role.operator)
ARTEFACTS = Path("artefacts")


def glucose(number, value, status, unit="mmol/L"):
    return {
        "resourceType": "Observation",
        "id": number,
        "status": status,
        "code": {"coding": [{"system": "http://loinc.org", "code": "2339-0"}]},
        "subject": {"reference": "Patient/ada"},
        "effectiveDateTime": "2031-03-14T08:00:00Z",
        "valueQuantity": {"value": value, "unit": unit},
    }


def pressure():
    def part(code, value):
        coding = [{"system": "http://loinc.org", "code": code}]
        return {"code": {"coding": coding}, "valueQuantity": {"value": value, "unit": "mm[Hg]"}}

    whole = glucose("3", 0, "final") | {"effectiveDateTime": "2031-03-14T09:00:00Z"}
    del whole["valueQuantity"]
    whole["code"] = {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]}
    return whole | {"component": [part("8480-6", 142), part("8462-4", 88)]}


def letter(*resources):
    patient = {"resourceType": "Patient", "id": "ada", "birthDate": "1984-05-02"}
    entries = [{"resource": r} for r in (patient, *resources)]
    return orjson.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries})


DIARY = b"""person,time,glucose (mmol/L),carbs,bolus
ada,2031-03-14T10:00:00Z,6.5,45,4.5
ada,2031-03-14T11:00:00Z,7.1,,
"""
HL7 = (
    b"MSH|^~\\&|LAB|H|X|Y|20310314120000+0000||ORU^R01|7|P|2.5\rPID|1||77^^^H^MR||Example^Ada\r"
    b"OBR|1||9|1^chem|||20310314113000+0000\r"
    b"OBX|1|NM|2823-3^Potassium^LN||4.1|mmol/L|||||F|||20310314113000+0000\r"
    b"OBX|2|NM|2951-2^Sodium^LN||139|mmol/L|||||F|||20310314113000+0000\r"
)


def arrived():
    """The morning's result, what the laboratory said of it later, and everything else."""
    early = Options(received=NOW - timedelta(hours=6), about="fhir|ada")
    late = Options(received=NOW - timedelta(hours=2), about="fhir|ada")
    found = list(received("one.json", letter(glucose("1", 5.5, "final"), pressure()), early))
    found += received("two.json", letter(glucose("1", 6.0, "amended")), late)
    found += received("diary.csv", DIARY, late)
    found += received("lab.hl7", HL7, late)
    at = NOW - timedelta(hours=1)
    gene = codes.opened("genome|CYP2C19", "CYP2C19", "1", Kind.answer)
    heard = codes.opened("http://snomed.info/sct|386661006", "fever", "1", Kind.answer)
    ecg = Waveform(
        *(at, "ecg", 250.0, ("I", "II"), ("mV", "mV")),
        samples=np.sin(np.arange(5000) / 9, dtype=np.float32) * np.ones((2, 1), np.float32),
        source="watch",
        known=NOW,
    )
    facts = (
        Observation(at, gene, 1, "laboratory", at, says="*1/*2, intermediate metaboliser"),
        Observation(at, heard, 0, "note", at, says="no fever"),
        Observation(at, codes.weight, 71, "scale", at),
        Observation(
            at, codes.weight, 71, "scale", NOW - timedelta(minutes=5), says="entered in error"
        ),
    )
    pulse = [70, 71, 140, 71, 70]  # three standard errors of 2 and more, alone
    facts += tuple(
        Observation(at + timedelta(minutes=i), codes.heart_rate, v, "watch", NOW)
        for i, v in enumerate(pulse)
    )
    bad = Refusal(
        "line 9", "fhir|ada", "glucose in furlong: allowed is mg/dL", "send units", b"9 f"
    )
    note = b"Ada has no fever today."
    found.append(
        Arrived(
            *(note, "text/plain", "note.txt", "fhir|ada", None, facts, (bad,)),
            places=("", "chars 8-16", *[""] * 7),
            waveforms=(ecg,),
        )
    )
    return [replace(a, about="fhir|ada") for a in found]


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    with Vault.open(tmp_path_factory.mktemp("origins") / "home", clock=lambda: NOW) as vault:
        vault.receive(OP, arrived(), "she asked us to", (Purpose.care, Purpose.twin))
        (ada,) = (p.patient for p in vault.patients(OP))
        vault.accounts.add("dr.lee", WORDS, Role.clinician)
        vault.accounts.add("ada", WORDS, Role.patient, ada)
        yield vault, ada


@pytest.fixture(scope="module")
def address(kept, serve):
    server = serve(build(kept[0], clock=lambda: NOW))
    yield server.address
    server.close()


@pytest.fixture(scope="module")
def lee(kept, address):
    with httpx.Client(base_url=address, timeout=60) as browser:
        browser.cookies.set("medtwin_session", kept[0].accounts.login("dr.lee", WORDS))
        yield browser


def origin(lee, kept, code, at):
    asked = {"code": code, "at": f"2031-03-14T{at}Z"}
    return lee.get(f"/api/patients/{kept[1]}/origin", params=asked).json()


def test_an_amended_result_stands_beside_what_it_amended_with_both_dates(lee, kept):
    seen = origin(lee, kept, "glucose", "08:00:00")
    assert [v["stands"] for v in seen["versions"]] == [
        "holds today",
        "amended on 14 Mar 2031 13:09 UTC",
    ]
    assert [v["sent"] for v in seen["versions"]] == ["6.0 mmol/L", "5.5 mmol/L"]  # as written
    # 18.0156 mg/dL of glucose are 1 mmol/L
    assert [v["kept"] for v in seen["versions"]] == ["108.094 mg/dL", "99.0858 mg/dL"]
    assert [row[0] for row in seen["said"]] == ["14 Mar 2031 09:09 UTC", "14 Mar 2031 13:09 UTC"]


def test_a_part_of_a_resource_is_marked_in_its_own_bytes(lee, kept):
    (only,) = origin(lee, kept, "diastolic", "09:00:00")["versions"]
    assert only["place"] == "Observation.component[1]"
    assert orjson.loads(only["original"]["at"])["valueQuantity"]["value"] == 88
    assert only["sent"] == "88 mm[Hg]"
    whole = only["original"]
    assert whole["at"].encode() in orjson.dumps(pressure())


def test_a_doubtful_reading_says_why_and_by_how_much_it_counts_less(lee, kept):
    (lone,) = origin(lee, kept, "heart_rate", "14:11:00")["versions"]
    # 69 from the middle of its neighbours at a standard error of 2: sqrt(1 + 34.5^2)
    (said,) = lone["quality"]
    assert said == (
        "artefact: it stands alone between two readings that agree (three standard errors, "
        "Hampel 1974); counts as 34.5 times as uncertain"
    )
    (sound,) = origin(lee, kept, "heart_rate", "14:13:00")["versions"]
    assert sound["quality"] == []
    part = lee.get(f"/api/patients/{kept[1]}/journey", params={"word": "heart rate"}).json()
    assert {(row[2], row[4]) for row in part["rows"] if row[4]} == {
        ("140 per min", "doubtful: artefact")
    }


def test_a_line_of_a_table_and_a_segment_of_a_message_are_marked(lee, kept):
    (meal,) = origin(lee, kept, "carbohydrate", "10:00:00")["versions"]
    assert meal["original"]["at"] == "ada,2031-03-14T10:00:00Z,6.5,45,4.5"
    (sodium,) = origin(lee, kept, "sodium", "11:30:00")["versions"]
    assert sodium["original"]["at"].startswith("OBX|2|NM|2951-2")
    assert sodium["sent"] == "139 mmol/L"


def test_what_a_note_said_is_marked_in_the_note(lee, kept):
    (fever,) = origin(lee, kept, "http://snomed.info/sct|386661006", "14:09:00")["versions"]
    original = fever["original"]
    assert (original["before"], original["at"], original["after"]) == (
        "Ada has ",
        "no fever",
        " today.",
    )


def test_the_original_is_downloaded_byte_for_byte_and_never_opened_as_a_page(lee, kept):
    (meal,) = origin(lee, kept, "carbohydrate", "10:00:00")["versions"]
    answer = lee.get(meal["download"])
    assert answer.content == DIARY or answer.content in DIARY
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")


def test_every_look_at_an_origin_is_in_the_audit(lee, kept):
    vault, ada = kept
    before = len(vault.audit(OP, ada, limit=5000))
    origin(lee, kept, "carbohydrate", "10:00:00")
    mine = vault.audit(OP, ada, limit=5000)[: len(vault.audit(OP, ada, limit=5000)) - before]
    assert any(line.who == "dr.lee" and line.action == "read" for line in mine)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"code": "glucose", "at": "yesterday"}, 422),
        ({"code": "glucose", "at": "2031-03-14T08:00:00"}, 422),
        ({"code": "glucose", "at": "2031-03-14T08:00:01Z"}, 404),
        ({"code": "nothing", "at": "2031-03-14T08:00:00Z"}, 404),
    ],
)
def test_what_cannot_be_asked_is_said(lee, kept, asked, status):
    answer = lee.get(f"/api/patients/{kept[1]}/origin", params=asked)
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"what", "whose", "allowed", "next"}


def test_the_journey_has_every_kind_and_marks_what_was_amended_or_taken_back(lee, kept):
    part = lee.get(f"/api/patients/{kept[1]}/journey").json()
    names = {lane["name"] for lane in part["picture"]["lanes"]}
    assert names >= {"Measurements", "Signals", "Meals", "Doses", "From notes", "Genome"}
    notes = {(row[1], row[4]) for row in part["rows"]}
    assert ("glucose", "amended") in notes
    assert ("body weight", "taken back") in notes
    assert part["refused"] == 1


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"kind": "meal"}, {"carbohydrate eaten"}),
        ({"kind": ["genome", "note"]}, {"CYP2C19", "fever"}),
        ({"word": "FEVER"}, {"fever"}),
        ({"word": "metaboliser"}, {"CYP2C19"}),
        ({"source": "scale"}, {"body weight"}),
        ({"on": "2031-03-13"}, set()),
    ],
)
def test_the_journey_is_chosen_by_kind_source_word_and_day(lee, kept, asked, names):
    part = lee.get(f"/api/patients/{kept[1]}/journey", params=asked).json()
    assert {row[1] for row in part["rows"]} == names


def test_what_was_refused_is_shown_with_its_reason(lee, kept):
    page = lee.get(f"/api/patients/{kept[1]}/refused").json()
    assert [(r["what"], r["words"]) for r in page["rows"]] == [("line 9", "9 f")]


def test_ten_seconds_of_a_signal_are_drawn(lee, kept):
    page = lee.get(f"/api/patients/{kept[1]}/signal", params={"code": "ecg"}).json()
    assert [t["name"] for t in page["traces"]] == ["I, mV", "II, mV"]
    assert (page["traces"][0]["low"], page["traces"][0]["high"]) == ("-1", "1")
    assert page["before"]
    assert not page["after"]


def test_somebody_else_and_strangers_find_nothing(kept, address):
    there = f"/api/patients/{kept[1]}/origin?code=glucose&at=2031-03-14T08:00:00Z"
    assert httpx.get(address + there).status_code == 401


SIZES = {
    "light": ({"width": 1400, "height": 1000}, "light"),
    "dark": ({"width": 1400, "height": 1000}, "dark"),
    "phone": ({"width": 390, "height": 844}, "light"),
    "phone-dark": ({"width": 390, "height": 844}, "dark"),
}


def tab(chromium, kept, address, size, name="dr.lee"):
    viewport, scheme = SIZES[size]
    context = chromium.new_context(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
    token = kept[0].accounts.login(name, WORDS)
    context.add_cookies([{"name": "medtwin_session", "value": token, "url": address}])
    return context.new_page()


@pytest.mark.browser
@pytest.mark.parametrize("size", SIZES)
def test_the_pages_fit_and_axe_finds_nothing(chromium, kept, address, size):
    page, there = tab(chromium, kept, address, size), f"{address}/patients/{kept[1]}"
    places = {
        "origin": f"{there}/origin?code=glucose&at=2031-03-14T08:00:00Z",
        "origin-line": f"{there}/origin?code=carbohydrate&at=2031-03-14T10:00:00Z",
        "refused": f"{there}/refused",
        "signal": f"{there}/signal?code=ecg",
        "journey": f"{there}?word=o&span=7",
        "patterns": f"{there}/patterns",
    }
    ARTEFACTS.mkdir(exist_ok=True)
    for name, path in places.items():
        answer = page.goto(path)
        assert answer.status == 200, name
        page.wait_for_timeout(300)
        page.screenshot(path=ARTEFACTS / f"{name}-{size}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        found = Axe().run(page).response["violations"]
        assert [(v["id"], [n["target"] for n in v["nodes"]]) for v in found] == [], name
    page.context.close()


@pytest.mark.browser
def test_every_number_of_the_record_is_two_clicks_from_its_origin(chromium, kept, address):
    """One click opens the facts, the second is on the number; a tile needs only one."""
    page = tab(chromium, kept, address, "light")
    page.goto(f"{address}/patients/{kept[1]}")
    page.get_by_text("The facts behind this picture").click()
    page.get_by_role("link", name="45 g: where this came from").last.click()
    expect(page.locator("mark")).to_have_text("ada,2031-03-14T10:00:00Z,6.5,45,4.5")
    page.goto(f"{address}/patients/{kept[1]}")
    page.get_by_role("link", name="Glucose").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Where this came from")).to_be_visible()
    page.context.close()


@pytest.mark.browser
def test_a_person_finds_the_origin_of_their_own_numbers(chromium, kept, address):
    page = tab(chromium, kept, address, "phone", "ada")
    page.goto(f"{address}/own")
    page.locator("summary").first.click()
    page.get_by_role("link", name="where this came from").last.click()
    expect(page.locator("mark").first).to_be_visible()
    page.context.close()


def test_steps_of_watch_and_phone_count_once_and_the_order_can_be_set(kept, address, lee):
    vault, ada = kept
    care = Principal("dr.lee", Role.clinician)
    at = NOW - timedelta(hours=3)
    walked = [
        Observation(at, codes.steps, n, s, at, at + timedelta(minutes=m))
        for n, s, m in ((300, "iPhone", 30), (120, "Apple Watch", 10))
    ]
    vault.add(care, ada, walked, Purpose.care)
    (steps,) = lee.get(f"/api/patients/{ada}").json()["devices"]["rows"]
    assert (steps["order"], steps["once"], steps["told"]) == (
        ["Apple Watch", "iPhone"],
        "320",
        "420",
    )
    mark = lee.get(f"/patients/{ada}").text.partition('name="csrf" value="')[2].partition('"')[0]
    form = {"code": "steps", "first": "iPhone", "csrf": mark}
    assert lee.post(f"/patients/{ada}/prefer", data=form).status_code == 303
    (steps,) = lee.get(f"/api/patients/{ada}").json()["devices"]["rows"]
    assert steps["once"] == "300"
    assert steps["chosen"].startswith("set by dr.lee on 14 Mar 2031")
    bad = {"code": "steps", "first": "nobody", "csrf": mark}
    assert lee.post(f"/patients/{ada}/prefer", data=bad).status_code == 422


def test_patterns_say_how_many_were_looked_at_and_nothing_without_enough_days(kept, lee):
    vault, ada = kept
    seen = lee.get(f"/api/patients/{ada}/patterns").json()
    assert (seen["looked"], seen["rows"]) == (0, [])
    care, rng = Principal("dr.lee", Role.clinician), np.random.default_rng(1)
    sleep = 420 + 60 * rng.standard_normal(90)
    pulse = 60 - 0.1 * (np.roll(sleep, 1) - 420) + 3 * rng.standard_normal(90)
    facts = [
        Observation(NOW - timedelta(days=95 - i), code, float(v[i]), "ring", NOW)
        for code, v in ((codes.sleep, sleep), (codes.heart_rate, pulse))
        for i in range(90)
    ]
    vault.add(care, ada, facts, Purpose.care)
    seen = lee.get(f"/api/patients/{ada}/patterns").json()
    # both at three lags, one and the other first; a change and a week of each; one silence
    assert seen["looked"] == 10
    assert any(r["says"].endswith("less heart rate the day after") for r in seen["rows"])
    assert "95 %: " in seen["rows"][0]["sure"]
