import re
from datetime import UTC, datetime, timedelta

import pytest

from medtwin.web.door import Turnstile, csrf
from medtwin.web.entrance import safe
from medtwin.web.trouble import Trouble

PASSWORD = "a long password for tests"


def token(page):
    return re.search(r'name="csrf" value="([0-9a-f]+)"', page)[1]


def log_in(browser, name, password, back=""):
    mark = token(browser.get("/login").text)
    form = {"name": name, "password": password, "csrf": mark, "back": back}
    return browser.post("/login", data=form)


def test_a_right_password_opens_a_session_that_scripts_and_other_sites_cannot_use(visitor):
    answer = log_in(visitor(), "dr.lee", PASSWORD)
    assert answer.status_code == 303
    cookie = next(c for c in answer.headers.get_list("set-cookie") if "medtwin_session" in c)
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


@pytest.mark.parametrize("name", ["dr.lee", "nobody at all"])
def test_a_wrong_password_says_the_same_whether_or_not_the_name_exists(own_visitor, name):
    answer = log_in(own_visitor(), name, "wrong")
    assert answer.status_code == 401
    assert "do not belong together" in answer.text
    assert "medtwin_session" not in str(answer.headers)


def test_the_sixth_wrong_try_has_to_wait(own_visitor):
    browser = own_visitor()
    answers = [log_in(browser, "someone", "wrong").status_code for _ in range(6)]
    assert answers == [401] * 5 + [429]


def test_the_turnstile_opens_again_after_five_minutes():
    start = datetime(2031, 1, 1, tzinfo=UTC)
    door = Turnstile()
    for _ in range(5):
        door.note(("name a",), start)
    with pytest.raises(Trouble):
        door.check(("name a",), start + timedelta(minutes=4))
    door.check(("name b",), start)
    door.check(("name a",), start + timedelta(minutes=5))


def test_logging_out_ends_the_session_on_the_server(own_visitor):
    browser = own_visitor("dr.lee")
    kept = browser.cookies["medtwin_session"]
    mark = token(browser.get("/worklist").text)
    assert browser.post("/logout", data={"csrf": mark}).status_code == 303
    again = own_visitor()
    again.cookies.set("medtwin_session", kept)
    assert again.get("/api/worklist").status_code == 401


def test_a_form_without_the_mark_of_this_session_is_refused(visitor):
    browser = visitor("ada")
    form = {"purpose": "research", "yes": "1"}
    for mark in ("", "0" * 64, csrf("another session")):
        answer = browser.post("/own/choose", data=form | {"csrf": mark})
        assert answer.status_code == 403
        assert "did not come from your open page" in answer.text


def test_a_form_sent_by_another_site_is_refused_even_with_the_mark(visitor):
    browser = visitor("ada")
    mark = token(browser.get("/own").text)
    form = {"purpose": "research", "yes": "1", "csrf": mark}
    answer = browser.post("/own/choose", data=form, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403


def test_nobody_logged_in_is_sent_to_the_door_and_back_to_the_page_they_wanted(visitor):
    answer = visitor().get("/worklist")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?back=/worklist"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/%2Fevil",
        "javascript:x",
        "/a\nb",
    ],
)
def test_the_way_back_never_leads_to_another_site(elsewhere):
    assert safe(elsewhere) == ""
    assert safe("/patients/p-1?hours=8") == "/patients/p-1?hours=8"


def test_each_role_starts_at_its_own_page(visitor):
    starts = {name: visitor(name).get("/").headers["location"] for name in ("dr.lee", "op", "ada")}
    assert starts == {"dr.lee": "/worklist", "op": "/worklist", "ada": "/own"}


def test_theme_and_unit_are_remembered_and_nothing_else_is_taken(visitor):
    browser = visitor("dr.lee")
    mark = token(browser.get("/worklist").text)
    browser.post("/preferences", data={"csrf": mark, "theme": "dark", "units": "mmol/L"})
    page = browser.get("/worklist").text
    assert 'data-theme="dark"' in page
    wrong = browser.post("/preferences", data={"csrf": mark, "theme": "pink"})
    assert wrong.status_code == 422
