"""A small house of hand-made people in a real vault, behind the real app."""

import os
import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import pi, sin
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import httpx
import pytest
import uvicorn
from playwright.sync_api import sync_playwright

from medtwin.record import codes
from medtwin.record.codes import Code, Kind
from medtwin.record.observation import Observation
from medtwin.record.person import Person
from medtwin.sources.source import Arrived
from medtwin.vault.access import Principal, Role
from medtwin.vault.consent import Purpose
from medtwin.vault.vault import Vault
from medtwin.web.app import build

NOW = datetime(2031, 3, 14, 15, 9, tzinfo=UTC)
PASSWORD = "a long password for tests"
OPERATOR = Principal("op", Role.operator)
CARE = Principal("dr.lee", Role.clinician)
SYSTEM = Principal("ward", Role.system)
HOSTILE = '<script>alert("x")</script> O\'Neil & "Ada"'
diabetes = Code("condition:44054006", "condition", "1", kind=Kind.condition)
stay = Code("encounter:imp", "encounter", "1", kind=Kind.encounter)


@dataclass(frozen=True)
class House:
    """The vault, its app, and the pseudonyms of the people in it by first name."""

    vault: Vault
    app: object
    people: dict


def fact(at, code, value, source="sensor", until=None, says=""):
    return Observation(at, code, value, source, at, until, says)


def days(count, step=5):
    """Glucose every five minutes with three meals a day and their boluses; a smooth day."""
    facts = []
    for m in range(0, count * 1440, step):
        at = NOW - timedelta(days=count) + timedelta(minutes=m)
        hour = at.hour + at.minute / 60
        since_meal = min((hour - h) % 24 for h in (7, 12, 18))
        value = 115 + 70 * sin(min(since_meal, 4) / 4 * pi) + 3 * sin(m * 1.7)
        facts.append(fact(at, codes.glucose, value))
        if at.minute < step and at.hour in (7, 12, 18):
            facts.append(fact(at, codes.carbohydrate, 50, "pump"))
            facts.append(fact(at, codes.insulin_bolus, 5, "pump"))
        if at.minute < step:
            until = at + timedelta(hours=1)
            facts.append(fact(at, codes.insulin_basal, 0.9, "pump", until))
    return facts


def history():
    """Older facts of other kinds, so that every lane has something."""
    long_ago = NOW - timedelta(days=900)
    return [
        fact(long_ago, diabetes, 1, "hospital", says="Type 1 diabetes"),
        fact(NOW - timedelta(days=40), stay, 1, "hospital", NOW - timedelta(days=37), "Stay"),
        *(fact(NOW - timedelta(days=90 * k), codes.hba1c, 7.1 + k / 10, "lab") for k in (1, 2, 3)),
        *(fact(NOW - timedelta(days=30 * k), codes.weight, 71 - k / 5, "scale") for k in (1, 2, 3)),
        *(fact(NOW - timedelta(days=d), codes.warfarin, 5, "dispenser") for d in range(28, 0, -1)),
        *(
            fact(NOW - timedelta(days=d), codes.inr, inr, "laboratory")
            for d, inr in ((21, 1.7), (14, 2.3), (7, 2.6))
        ),
    ]


def arrives(name, person, facts):
    return Arrived(name.encode(), "text/plain", "by hand", f"test|{name}", person, tuple(facts), ())


def someone(name, sex="female"):
    return Person(identifiers=(f"test|{name}",), name=name, born=date(1984, 5, 2), sex=sex)


def taken_in(vault, name, facts, grants, person=None):
    before = {p.patient for p in vault.patients(OPERATOR)}
    arrived = arrives(name, person or someone(name), facts)
    vault.receive(OPERATOR, [arrived], "they agreed in writing", grants)
    return next(p.patient for p in vault.patients(OPERATOR) if p.patient not in before)


@dataclass(frozen=True)
class Raised:
    patient: str
    code: str
    urgency: str
    headline: str
    because: str
    at: datetime


def furnish(home: Path) -> dict:
    """Ada agreed to care and twin, Cleo to care only, Ben to nothing, Dora has ended."""
    with Vault.open(home, clock=lambda: NOW) as vault:
        people = _people(vault)
        _alerts(vault, people)
        _accounts(vault, people)
    return people


def _people(vault):
    both = (Purpose.care, Purpose.twin)
    people = {
        "ada": taken_in(vault, "Ada Example", days(2) + history(), both),
        "cleo": taken_in(vault, "Cleo Example", days(1)[:-20], (Purpose.care,)),
        "ben": taken_in(vault, "Ben Example", days(1), ()),
        "dora": taken_in(vault, "Dora Example", days(1), both),
        "eve": taken_in(vault, "Eve", history(), both, someone(HOSTILE)),
    }
    vault.retire(OPERATOR, people["dora"], "she asked for it")
    return people


def _alerts(vault, people):
    low = Raised(
        people["ada"], "predicted_low", "soon", "Glucose may fall low",
        "54 % chance below 70 mg/dL by 17:00 UTC; most likely at 16:40 UTC: 55 to 90 mg/dL", NOW,
    )  # fmt: skip
    for _ in range(3):
        vault.keep_alert(SYSTEM, low)
    silence = Raised(
        people["cleo"], "no_data", "note", "No glucose data",
        "nothing from sensor for 105 min; it usually reads every 5 min", NOW,
    )  # fmt: skip
    vault.keep_alert(SYSTEM, silence)


def _accounts(vault, people):
    for name, role, patient in (
        ("dr.lee", Role.clinician, None), ("op", Role.operator, None),
        ("rhea", Role.researcher, None), ("ada", Role.patient, people["ada"]),
        ("cleo", Role.patient, people["cleo"]),
    ):  # fmt: skip
        vault.accounts.add(name, PASSWORD, role, patient)


def opened(home: Path, people: dict) -> House:
    vault = Vault.open(home, clock=lambda: NOW)
    return House(vault, build(vault, clock=lambda: NOW), people)


@pytest.fixture(scope="session")
def furnished(tmp_path_factory):
    home = tmp_path_factory.mktemp("house") / "home"
    return home, furnish(home)


@pytest.fixture(scope="session")
def house(furnished, tmp_path_factory):
    """A house that tests only look at."""
    home, people = furnished
    made = opened(shutil.copytree(home, tmp_path_factory.mktemp("shared") / "home"), people)
    yield made
    made.vault.close()


@pytest.fixture
def own_house(furnished, tmp_path):
    """A house that a test may change."""
    home, people = furnished
    made = opened(shutil.copytree(home, tmp_path / "home"), people)
    yield made
    made.vault.close()


class Served(uvicorn.Server):
    """The app on a free port of this machine, in a thread; ended by `close`."""

    def __init__(self, app):
        super().__init__(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
        self.thread = Thread(target=self.run, daemon=True)
        self.thread.start()
        end = monotonic() + 20
        while not self.started and monotonic() < end:
            sleep(0.02)
        self.address = f"http://127.0.0.1:{self.servers[0].sockets[0].getsockname()[1]}"

    def close(self):
        self.should_exit = self.force_exit = True
        self.thread.join(10)


@pytest.fixture(scope="session")
def served(house):
    server = Served(house.app)
    yield server.address
    server.close()


def logged_in(house, address, name=None):
    """A browser without scripts, logged in as somebody; it does not follow redirects."""
    here = httpx.Client(base_url=address, timeout=120)
    if name:
        here.cookies.set("medtwin_session", house.vault.accounts.login(name, PASSWORD))
    return here


@pytest.fixture
def visitor(house, served):
    """Somebody's browser at the shared house."""
    opened = []

    def open_as(name=None):
        opened.append(logged_in(house, served, name))
        return opened[-1]

    yield open_as
    for one in opened:
        one.close()


@pytest.fixture
def own_visitor(own_house):
    """Somebody's browser at a house of this test's own."""
    server, opened = Served(own_house.app), []

    def open_as(name=None):
        opened.append(logged_in(own_house, server.address, name))
        return opened[-1]

    yield open_as
    for one in opened:
        one.close()
    server.close()


@pytest.fixture(name="moment")
def _now():
    return NOW


@pytest.fixture(name="password")
def _password():
    return PASSWORD


@pytest.fixture(scope="session", name="serve")
def _served():
    return Served


@pytest.fixture(scope="module")
def chromium():
    """Debian's Chromium where there is one, playwright's own otherwise."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    flags = ["--disable-gpu", "--disable-dev-shm-usage", *(["--no-sandbox"] if root else [])]
    with sync_playwright() as playwright:
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()
