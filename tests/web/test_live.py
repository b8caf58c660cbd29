from datetime import timedelta

import httpx
import pytest

from medtwin.care.event import Event, What
from medtwin.care.ward import Ward
from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.web.app import build


@pytest.fixture
def ward(own_house, moment, serve):
    """A ward that is not making rounds, and its line; the tests say what happens on it."""
    made = Ward(own_house.vault, lambda: moment)
    server = serve(build(own_house.vault, made, clock=lambda: moment))
    yield made, server.address
    server.close()


def heard(address, token, count, patient="", last=None):
    """The first so many events of the line, as dictionaries."""
    headers = {"last-event-id": str(last)} if last is not None else {}
    cookies = {"medtwin_session": token}
    events, now = [], {}
    url = f"{address}/live?patient={patient}"
    with httpx.stream("GET", url, headers=headers, cookies=cookies, timeout=20) as line:
        assert line.headers["content-type"].startswith("text/event-stream")
        for text in line.iter_lines():
            if ": " in text and not text.startswith(":"):
                key, _, value = text.partition(": ")
                now[key] = value
            elif not text and "id" in now:
                events.append(now)
                now = {}
            if len(events) == count:
                return events
    return events


def test_a_lost_line_is_taken_up_after_the_last_event_heard(ward, own_house, moment, password):
    made, address = ward
    token = own_house.vault.accounts.login("dr.lee", password)
    for _ in range(5):
        made._publish(Event(own_house.people["ada"], What.facts, moment))
    assert [e["id"] for e in heard(address, token, 3, last=2)] == ["3", "4", "5"]


def test_an_event_says_that_something_happened_and_never_a_value(ward, own_house, moment, password):
    made, address = ward
    token = own_house.vault.accounts.login("dr.lee", password)
    made._publish(Event(own_house.people["ada"], What.facts, moment, {"value": 123.4}))
    event = heard(address, token, 1, last=0)[0]
    assert event["event"] == "facts"
    assert "123" not in event["data"]


def test_a_patient_hears_only_of_themselves(ward, own_house, moment, password):
    made, address = ward
    token = own_house.vault.accounts.login("ada", password)
    for name in ("cleo", "ada", "cleo", "ada"):
        made._publish(Event(own_house.people[name], What.facts, moment))
    assert [e["id"] for e in heard(address, token, 2, last=0)] == ["2", "4"]
    other = {"patient": own_house.people["cleo"]}
    there = httpx.get(f"{address}/live", params=other, cookies={"medtwin_session": token})
    assert there.status_code == 403


def test_nobody_listens_without_a_session_or_with_a_number_that_is_none(ward, own_house, password):
    _, address = ward
    assert httpx.get(f"{address}/live").status_code in (303, 401)
    token = own_house.vault.accounts.login("dr.lee", password)
    wrong = {"last-event-id": "7; drop"}
    there = httpx.get(f"{address}/live", headers=wrong, cookies={"medtwin_session": token})
    assert there.status_code == 422


@pytest.mark.browser
def test_a_reading_that_arrives_appears_on_the_open_page(
    ward, own_house, moment, password, chromium
):
    made, address = ward
    there, context = own_house.people["cleo"], chromium.new_context()
    token = own_house.vault.accounts.login("dr.lee", password)
    context.add_cookies([{"name": "medtwin_session", "value": token, "url": address}])
    seen = context.new_page()
    seen.goto(f"{address}/patients/{there}")
    assert seen.locator("#vitals .value").first.inner_text() != "217"
    seen.wait_for_timeout(500)
    at = moment - timedelta(minutes=1)
    fact = Observation(at, codes.glucose, 217.0, "sensor", at)
    made.start()
    made.arrive(there, [fact])
    seen.locator("#vitals .value", has_text="217").wait_for(timeout=60_000)
    context.close()
    made.stop()
