"""A vault with three invented people, and those who come to its door."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.record.person import Person
from medtwin.sources.source import Arrived
from medtwin.vault.access import Principal, Role
from medtwin.vault.consent import Purpose
from medtwin.vault.vault import Vault

root = Path(__file__).parents[2]
# The laws that hold on either store; the other modules look into the files of SQLite.
on_both = {f"test_{name}" for name in ("accounts", "alerts", "audit", "checkpoints", "consent")}
on_both |= {f"test_{name}" for name in ("facts", "forecasts", "provenance", "receiving")}
on_both |= {
    f"test_{name}" for name in ("retirement", "rollups", "signals", "backup", "both_stores")
}
on_both |= {"test_resources"}

noon = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that moves when it is told to."""

    at: datetime = noon

    def __call__(self) -> datetime:
        return self.at

    def forward(self, by: timedelta) -> None:
        self.at += by


@dataclass(frozen=True)
class Door:
    """Everybody who may come."""

    operator: Principal
    clinician: Principal
    researcher: Principal
    system: Principal

    def patient(self, pseudonym: str) -> Principal:
        return Principal("maria.muster", Role.patient, pseudonym)


@dataclass(frozen=True)
class Made:
    """Invented facts and originals."""

    at: datetime = noon
    code: codes.Code = field(default=codes.glucose)

    def reading(self, minute: float, value: float = 120.0, **changed: object) -> Observation:
        at = self.at + timedelta(minutes=minute)
        said = {"at": at, "code": self.code, "value": value, "source": "sensor", "known": at}
        return Observation(**(said | changed))

    def person(self, who: str = "fhir|1", name: str = "Aaron Dickens") -> Person:
        return Person((who, "ssn|999-12-3456"), name, date(1950, 5, 17), sex="male")

    def arrived(
        self, *facts: Observation, who: str | None = "fhir|1", **changed: object
    ) -> Arrived:
        said = {
            "original": b'{"resourceType":"Observation","for":"Aaron Dickens"}',
            "media": "application/fhir+json",
            "origin": "Aaron_Dickens.json:3",
            "about": who,
            "person": None,
            "facts": facts,
            "refused": (),
            "kept": "",
        }
        return Arrived(**(said | changed))


@pytest.fixture
def door() -> Door:
    return Door(
        operator=Principal("Olga Operator", Role.operator),
        clinician=Principal("Dr Carla Clinic", Role.clinician),
        researcher=Principal("Rob Research", Role.researcher),
        system=Principal("ward", Role.system),
    )


@pytest.fixture
def made() -> Made:
    return Made()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def pytest_generate_tests(metafunc):
    """Each law is asked of SQLite and of PostgreSQL."""
    if "database" in metafunc.fixturenames and Path(metafunc.module.__file__).stem in on_both:
        metafunc.parametrize("database", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(scope="session")
def serving():
    """How a PostgreSQL server of one's own is started, as the evidence does it."""
    spec = importlib.util.spec_from_file_location("serving", root / "evidence/record/server.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def postgresql(serving):
    """A real PostgreSQL; without one the tests on it are skipped and say why."""
    pytest.importorskip("psycopg", reason="the extra [postgres] is not installed")
    try:
        with serving.postgresql() as server:
            yield server
    except serving.NoServer as why:
        pytest.skip(str(why))


@pytest.fixture
def database(request):
    """The address of an empty PostgreSQL database; None, for SQLite in the home."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return None
    serving = request.getfixturevalue("serving")
    return serving.database(request.getfixturevalue("postgresql"))


@pytest.fixture
def in_files(database):
    """For laws about the files of the store itself."""
    if database is not None:
        pytest.skip("the store is no file: PostgreSQL has its own")


@pytest.fixture
def vault(home: Path, clock: Clock, database: str | None):
    with Vault.open(home, clock, database=database) as opened:
        yield opened


@pytest.fixture
def admitted(vault: Vault, door: Door, made: Made) -> Callable[..., str]:
    """Take somebody in, with these grants; their pseudonym."""

    def admit(*grants: Purpose, who: str = "fhir|1", facts: int = 3) -> str:
        readings = [made.reading(5 * i, 100 + i) for i in range(facts)]
        before = {one.patient for one in vault.patients(door.operator)}
        arrived = made.arrived(*readings, who=who, person=made.person(who))
        vault.receive(door.operator, [arrived], "invented", grants)
        (new,) = {one.patient for one in vault.patients(door.operator)} - before
        return new

    return admit
