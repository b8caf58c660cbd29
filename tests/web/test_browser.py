"""The pages clicked through in headless Chromium: light, dark, phone; axe must find nothing."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
ARTEFACTS = Path("artefacts")
PASSWORD = "a long password for tests"
SIZES = {
    "light": ({"width": 1400, "height": 1000}, "light"),
    "dark": ({"width": 1400, "height": 1000}, "dark"),
    "phone": ({"width": 390, "height": 844}, "light"),
    "phone-dark": ({"width": 390, "height": 844}, "dark"),
}
PAGES = (
    *("login", "styleguide", "worklist", "patient", "without-twin", "not-shown"),
    *("own", "copy", "ended"),
)


@pytest.fixture
def tab(chromium):
    """Opens a tab as somebody; every complaint of the browser fails the test at its end."""
    contexts, complaints = [], []

    def open_tab(house, address, name=None, size="light", scripts="on"):
        viewport, scheme = SIZES[size]
        context = chromium.new_context(
            viewport=viewport,
            color_scheme=scheme,
            reduced_motion="reduce",
            java_script_enabled=scripts == "on",
            timezone_id="Europe/Vienna",
        )
        context.set_default_timeout(60_000)
        contexts.append(context)
        if name:
            token = house.vault.accounts.login(name, PASSWORD)
            cookie = {"name": "medtwin_session", "value": token, "url": address}
            context.add_cookies([cookie])
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if _bad(said) else None)
        return page

    yield open_tab
    for context in contexts:
        context.close()
    assert complaints == []


def _bad(said):
    """A refused page is logged as a failed resource; everything else that is an error counts."""
    return said.type == "error" and "status of 4" not in said.text


def where(house, page):
    people = house.people
    return {
        "login": (None, "/login"),
        "styleguide": ("dr.lee", "/styleguide"),
        "worklist": ("dr.lee", "/worklist"),
        "patient": (
            "dr.lee",
            f"/patients/{people['ada']}?span=all&plan=40-0-0&plan=40-4-0&bolus=1",
        ),
        "without-twin": ("dr.lee", f"/patients/{people['cleo']}"),
        "not-shown": ("dr.lee", f"/patients/{people['ben']}"),
        "own": ("ada", "/own"),
        "copy": ("ada", "/own/copy"),
        "ended": ("dr.lee", f"/certificate/{people['dora']}"),
    }[page]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing_and_nothing_runs_over_the_edge(house, served, tab, page, size):
    name, path = where(house, page)
    seen = tab(house, served, name, size)
    seen.goto(served + path)
    seen.wait_for_timeout(250)
    ARTEFACTS.mkdir(exist_ok=True)
    seen.screenshot(path=ARTEFACTS / f"{page}-{size}.png", full_page=True)
    assert seen.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = Axe().run(seen).response["violations"]
    assert [(v["id"], [n["target"] for n in v["nodes"]]) for v in found] == []


def test_every_target_is_large_enough_for_a_finger(house, served, tab):
    """WCAG 2.2, 2.5.8: 24 by 24 CSS pixels, links inside sentences excepted."""
    seen = tab(house, served, "dr.lee", "phone")
    seen.goto(served + where(house, "patient")[1])
    small = seen.evaluate(
        """() => [...document.querySelectorAll('button, input, select, summary, nav a, .button')]
        .filter(e => e.offsetParent && e.type !== 'hidden')
        .map(e => [e.outerHTML.slice(0, 60), e.getBoundingClientRect()])
        .filter(([, r]) => r.width < 24 || r.height < 24).map(([e]) => e)"""
    )
    assert small == []


def test_logging_in_leads_to_the_worklist_and_out_again(own_house, own_visitor, tab):
    served = str(own_visitor().base_url)
    seen = tab(own_house, served)
    seen.goto(f"{served}/worklist")
    seen.get_by_label("Name").fill("dr.lee")
    seen.get_by_label("Password").fill(PASSWORD)
    seen.get_by_role("button", name="Log in").click()
    expect(seen.get_by_role("heading", name="Worklist")).to_be_visible()
    seen.get_by_role("button", name="Log out").click()
    expect(seen.get_by_role("heading", name="Log in")).to_be_visible()


def test_the_keys_search_move_open_and_help(house, served, tab):
    seen = tab(house, served, "dr.lee")
    seen.goto(f"{served}/worklist")
    seen.keyboard.press("/")
    expect(seen.get_by_label("Search")).to_be_focused()
    seen.keyboard.type("jk?")
    assert seen.get_by_label("Search").input_value() == "jk?"
    seen.goto(f"{served}/worklist")
    seen.keyboard.press("j")
    expect(seen.get_by_role("link", name="Ada Example")).to_be_focused()
    seen.keyboard.press("j")
    expect(seen.get_by_role("link", name="Cleo Example")).to_be_focused()
    seen.keyboard.press("k")
    seen.keyboard.press("?")
    expect(seen.get_by_role("dialog")).to_be_visible()
    seen.keyboard.press("Escape")
    seen.keyboard.press("k")
    seen.keyboard.press("Enter")
    expect(seen.get_by_role("heading", name="Ada Example")).to_be_visible()


def test_the_key_a_acknowledges_the_most_pressing_alert(own_house, own_visitor, tab):
    served = str(own_visitor().base_url)
    seen = tab(own_house, served, "dr.lee")
    seen.goto(f"{served}/patients/{own_house.people['ada']}")
    expect(seen.get_by_text("1 waiting")).to_be_visible()
    seen.keyboard.press("a")
    expect(seen.get_by_text("0 waiting")).to_be_visible()


def test_the_list_is_searched_while_typing(house, served, tab):
    seen = tab(house, served, "dr.lee")
    seen.goto(f"{served}/worklist")
    seen.get_by_label("Search").fill("cleo")
    expect(seen.locator("[data-item]")).to_have_count(1)


def test_a_plan_is_run_pinned_and_compared(house, served, tab):
    seen = tab(house, served, "dr.lee")
    seen.goto(f"{served}/patients/{house.people['ada']}")
    seen.get_by_label("Carbohydrate").fill("40")
    expect(seen.locator("output[for=carbohydrate]")).to_have_text("40 g")
    seen.get_by_role("button", name="Pin this plan").click()
    panel = seen.locator("#what-if")
    expect(panel.get_by_text("1 of 3 pinned")).to_be_visible()
    seen.get_by_label("Bolus").fill("4")
    panel.get_by_role("button", name="Run").click()
    expect(panel.get_by_role("rowheader", name="40 g and 4 U now")).to_be_visible()
    expect(panel.get_by_text(re.compile("90 %: .* to ")).first).to_be_visible()
    assert panel.locator("canvas").count() == 1


def test_theme_and_unit_switch_and_stay(house, served, tab):
    seen = tab(house, served, "dr.lee")
    seen.goto(f"{served}/patients/{house.people['ada']}")
    light = seen.evaluate("getComputedStyle(document.body).backgroundColor")
    seen.get_by_role("button", name="Dark").click()
    seen.get_by_role("button", name="mmol/L").click()
    expect(seen.locator("html")).to_have_attribute("data-theme", "dark")
    assert seen.evaluate("getComputedStyle(document.documentElement).backgroundColor") != light
    expect(seen.locator("#vitals").get_by_text("mmol/L").first).to_be_visible()


def test_times_are_in_the_readers_own_zone_and_say_so(house, served, tab):
    seen = tab(house, served, "dr.lee")
    seen.goto(f"{served}/worklist")
    seen.goto(f"{served}/patients/{house.people['ada']}")
    expect(seen.get_by_text("Times are in Europe/Vienna.")).to_be_visible()
    expect(seen.locator("#alerts").get_by_text("16:09 CET").first).to_be_visible()


def test_a_person_changes_a_choice_on_their_own_page(own_house, own_visitor, tab):
    served = str(own_visitor().base_url)
    seen = tab(own_house, served, "ada", "phone")
    seen.goto(f"{served}/own")
    expect(seen.get_by_text(re.compile("most likely between"))).to_be_visible()
    seen.get_by_role("switch", name="Your twin").click()
    expect(seen.get_by_role("switch", name="Your twin")).to_have_attribute("aria-checked", "false")
    expect(seen.get_by_text("We do not look ahead for you: withdrew from twin")).to_be_visible()


def test_without_scripts_every_figure_is_in_a_table_and_plans_still_run(house, served, tab):
    seen = tab(house, served, "dr.lee", scripts="off")
    seen.goto(f"{served}/patients/{house.people['ada']}")
    seen.get_by_text("The figures behind this chart").first.click()
    expect(seen.get_by_role("cell", name="measured").first).to_be_visible()
    seen.get_by_role("button", name="Run").click()
    expect(seen.get_by_role("heading", name="What if…")).to_be_visible()


def test_a_printed_page_has_no_menu_and_no_forms(house, served, tab):
    seen = tab(house, served, "dr.lee")
    seen.goto(f"{served}/patients/{house.people['ada']}")
    seen.emulate_media(media="print")
    expect(seen.locator("header.side")).to_be_hidden()
    expect(seen.locator("#what-if form")).to_be_hidden()
    expect(seen.get_by_role("heading", name="Ada Example")).to_be_visible()
