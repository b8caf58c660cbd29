import re
from pathlib import Path

import pytest

import medtwin.web
from medtwin.web.guard import BODY_LIMIT, QUERY_LIMIT

PAGES = ("/login", "/styleguide", "/worklist", "/nothing-here", "/static/medtwin.css")


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_carries_the_strict_policy(visitor, path):
    headers = visitor("dr.lee").get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"


def test_pages_with_people_on_them_are_never_kept_by_a_cache(visitor):
    assert visitor("dr.lee").get("/worklist").headers["cache-control"] == "no-store"


def test_no_template_has_a_script_or_a_style_of_its_own():
    room = Path(medtwin.web.__file__).parent
    for template in [*room.rglob("*.html"), *room.rglob("*.svg")]:
        text = template.read_text()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text), template
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text)), template


def test_an_address_that_is_too_long_is_refused_with_the_limit(visitor):
    answer = visitor("dr.lee").get("/worklist", params={"q": "x" * QUERY_LIMIT})
    assert answer.status_code == 414
    assert str(QUERY_LIMIT) in answer.json()["error"]["allowed"]


def test_a_form_that_is_too_long_is_refused_before_it_is_read(visitor):
    answer = visitor("dr.lee").post("/login", content=b"x" * (BODY_LIMIT + 1))
    assert answer.status_code == 413
    assert set(answer.json()["error"]) == {"what", "whose", "allowed", "next"}


def test_a_form_with_a_hundred_fields_is_refused_in_the_one_shape(visitor):
    answer = visitor().post("/login", data={f"f{i}": "x" for i in range(100)})
    assert answer.status_code in (400, 403)
    assert "Next" in answer.text
