"""The demo: a generated hospital kept in a vault, tended by a ward, seen through the pages.

Composition only: the hospital makes the people, the sources read their records, the vault keeps
them, the ward follows them as their data arrive. Started again on the same home it goes on.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console

from medtwin.care.ward import Full, Ward
from medtwin.hospital.arrivals import Clock, Due, arriving, started
from medtwin.hospital.chart import identity
from medtwin.hospital.devices import upload
from medtwin.hospital.generated import Hospital, charts, days, founded
from medtwin.settings import Settings
from medtwin.sources.fhir import source as fhir
from medtwin.sources.source import Options, given
from medtwin.vault.access import Principal, Role
from medtwin.vault.consent import Purpose
from medtwin.vault.vault import Vault

basis = "synthetic people, generated; nobody is behind them"
founder = Principal("the demo", Role.operator)
taken_again = timedelta(hours=3)
Say = Callable[[str], object]


@dataclass(frozen=True)
class Account:
    """A log-in of the demo; its password is public, since nobody is behind anything here."""

    name: str
    password: str
    role: Role
    patient: str | None = None


@dataclass(frozen=True)
class Founded:
    """What makes this home's hospital the same again: kept beside the store as `demo.json`."""

    seed: int
    people: int
    opened: datetime
    pseudonyms: tuple[str, ...]


def silent(_: str) -> None:
    """Nobody listens."""


def open_demo(
    home: Path, speed: float = 60.0, people: int = 10, seed: int = 1, say: Say = silent
) -> tuple[Vault, Ward, tuple[Account, ...]]:
    """A vault with the generated hospital in it, and a ward that has begun its rounds.

    `ward.clock` is the hospital's time, which runs `speed` times as fast as life. On a home
    that holds a demo already, that one goes on, with its own people and seed. Close with
    `ward.stop()` and then `vault.close()`.
    """
    kept = home / "demo.json"
    if kept.exists():
        of = _read(kept)
        say(f"the hospital opened {of.opened:%d %B %Y} goes on")
        hospital, vault = founded(of.people, of.seed, of.opened), Vault.open(home)
    else:
        opened = datetime.now(UTC).replace(microsecond=0)
        say(f"making {people} people who do not exist")
        hospital, vault = founded(people, seed, opened), Vault.open(home)
        of = Founded(seed, people, opened, admit(vault, hospital, say))
        _write(kept, of)
    accounts = opened_accounts(vault, hospital, of.pseudonyms)
    clock, after = _time(vault, of, speed)
    ward = Ward(vault, clock).start()
    _feed(ward, hospital, of.pseudonyms, clock, after)
    return vault, ward, accounts


def admit(vault: Vault, hospital: Hospital, say: Say) -> tuple[str, ...]:
    """Everybody's records and their devices' past into the vault; their pseudonyms, in order."""
    past = [(d, facts) for d, facts in _until(hospital)]
    names = []
    for i, (resident, chart) in enumerate(zip(hospital.people, charts(hospital), strict=True)):
        before = {p.patient for p in vault.patients(founder)}
        about = f"fhir|{identity(resident)}"
        told = Options(received=hospital.opened)
        arrived = list(fhir.read(given(f"{identity(resident)}.json", chart), told))
        arrived += [upload(about, facts[i], day) for day, facts in past if facts[i]]
        grants = [Purpose(c) for c in resident.choices]
        receipt = vault.receive(founder, arrived, basis, grants)
        names += [p.patient for p in vault.patients(founder) if p.patient not in before]
        say(f"{names[-1]}: {receipt.facts:,} facts; {resident.story}")
    return tuple(names)


def _until(hospital: Hospital) -> Iterator[tuple[Any, Any]]:
    """The days until the opening, each person's facts of it as far as they were known then."""
    for day, facts in days(hospital):
        if day > hospital.opened.date():
            return
        yield day, [tuple(o for o in theirs if o.known <= hospital.opened) for theirs in facts]


def opened_accounts(
    vault: Vault, hospital: Hospital, names: tuple[str, ...]
) -> tuple[Account, ...]:
    """A log-in for each role: the first person's own, and that of one who agreed to nothing."""
    wanted = [
        Account("clinician", "demo-clinician", Role.clinician),
        Account("researcher", "demo-researcher", Role.researcher),
        Account("operator", "demo-operator", Role.operator),
        Account("patient", "demo-patient", Role.patient, names[0]),
    ]
    unasked = (n for r, n in zip(hospital.people, names, strict=True) if not r.choices)
    wanted += [Account("unasked", "demo-unasked", Role.patient, n) for n in unasked]
    gone = {p.patient for p in vault.patients(founder) if p.retired is not None}
    accounts = tuple(a for a in wanted if a.patient not in gone)
    for account in accounts:
        try:
            vault.accounts.add(account.name, account.password, account.role, account.patient)
        except ValueError:  # it was made when the demo was first started
            continue
    return accounts


def _time(vault: Vault, of: Founded, speed: float) -> tuple[Clock, datetime]:
    """The hospital's clock, and from when on facts are still to come.

    After a restart the clock goes on where the last fact was, or now, whichever is later, and
    the last hours are brought again: what is there already counts once.
    """
    ends = [p.last for p in vault.patients(founder) if p.patient in of.pseudonyms and p.last]
    reached = max([of.opened, *ends])
    now = max(reached, datetime.now(UTC))
    return started(now, speed), max(of.opened, reached - taken_again)


def _feed(
    ward: Ward, hospital: Hospital, names: tuple[str, ...], clock: Clock, after: datetime
) -> threading.Thread:
    """What falls due goes to the ward, for as long as it runs."""

    def run() -> None:
        for _, due in groupby(arriving(hospital, after), lambda d: d.at):
            together = tuple(due)
            while ward.running and clock.wait(together[0].at) > 0:
                threading.Event().wait(min(0.5, clock.wait(together[0].at)))
            if not ward.running:
                return
            for one in together:
                _bring(ward, names[one.resident.number], one)

    thread = threading.Thread(target=run, name="arrivals", daemon=True)
    thread.start()
    return thread


def _bring(ward: Ward, name: str, due: Due) -> None:
    while ward.running:
        try:
            ward.arrive(name, due.facts, timeout=1.0)
        except Full:
            continue
        return


def _write(path: Path, of: Founded) -> None:
    path.write_bytes(orjson.dumps(asdict(of)))


def _read(path: Path) -> Founded:
    kept = orjson.loads(path.read_bytes())
    opened = datetime.fromisoformat(kept["opened"])
    return Founded(kept["seed"], kept["people"], opened, tuple(kept["pseudonyms"]))


def home_of(store: Path) -> Path:
    """Where a demo may live: the store's own folder, unless real records are kept there."""
    mixed = (store / "store.db").exists() and not (store / "demo.json").exists()
    return store / "demo" if mixed else store


@contextmanager
def running(
    home: Path, speed: float, people: int, say: Say
) -> Iterator[tuple[Vault, Ward, tuple[Account, ...]]]:
    """The demo for as long as the block lasts."""
    vault, ward, accounts = open_demo(home, speed, people, say=say)
    try:
        yield vault, ward, accounts
    finally:
        ward.stop()
        vault.close()


def run(speed: float, patients: int, host: str, port: int) -> None:
    """`medtwin demo`: open the hospital, print where to look, serve until Ctrl-C."""
    import uvicorn

    from medtwin.web.app import build

    console = Console()
    home = home_of(Settings().store)
    with running(home, speed, patients, console.print) as (vault, ward, accounts):
        for line in where_to_look(home, host, port, speed, accounts):
            console.print(line, highlight=False)
        app = build(vault, ward, clock=ward.clock)
        uvicorn.run(app, host=host, port=port, log_level="warning")


def where_to_look(
    home: Path, host: str, port: int, speed: float, accounts: tuple[Account, ...]
) -> Iterator[str]:
    """The address, the log-ins, and how to look from the command line."""
    yield ""
    yield f"medtwin demo: http://{host}:{port}  (every person in it is generated; Ctrl-C ends it)"
    yield f"  {speed:g} minutes pass in one; the store is {home}"
    for a in accounts:
        whose = f"  (sees {a.patient})" if a.patient else ""
        yield f"  {a.role:<11} log in as {a.name:<11} password {a.password}{whose}"
    yield f"  on the command line: MEDTWIN_HOME={home} medtwin patients"
