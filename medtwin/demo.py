"""The demo: a generated hospital kept in a vault, tended by a ward, seen through the pages.

Composition only: the hospital makes the people, the sources read their records, the vault keeps
them, the ward follows them as their data arrive. Started again on the same home it goes on.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
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
from medtwin.hospital.resident import most
from medtwin.settings import Settings
from medtwin.sources.fhir import source as fhir
from medtwin.sources.source import Options, given
from medtwin.vault.access import Principal, Role
from medtwin.vault.consent import Purpose
from medtwin.vault.vault import Vault, now

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
    pseudonyms: tuple[str, ...] = ()


@dataclass
class HouseClock:
    """The hospital's clock: it stands until everybody has moved in, then it runs fast."""

    hands: Clock

    def __call__(self) -> datetime:
        return self.hands()

    def wait(self, until: datetime) -> float:
        """Seconds of life until then."""
        return self.hands.wait(until)

    def go(self) -> None:
        """Let it run from the time it shows."""
        self.hands = started(self.hands(), self.hands.speed)


def standing(at: datetime, speed: float) -> HouseClock:
    """A clock that shows this time, and will run so fast."""
    return HouseClock(Clock(at, speed, 0.0, watch=lambda: 0.0))


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
    demo = begin(home, speed, people, seed)
    return demo.vault, demo.ward, settle(demo, say)


@dataclass(frozen=True)
class Demo:
    """An open house whose people may still have to move in (`settle`)."""

    home: Path
    vault: Vault
    ward: Ward
    clock: HouseClock
    of: Founded
    after: datetime


def begin(home: Path, speed: float, people: int, seed: int = 1) -> Demo:
    """The vault, the staff's log-ins and the ward: at once, before anybody has moved in."""
    kept = home / "demo.json"
    opened = now().replace(microsecond=0)
    of = _read(kept) if kept.exists() else Founded(seed, _allowed(people), opened, ())
    clock = standing(of.opened, speed)
    vault = Vault.open(home, clock, wall=now)
    _write(kept, of)
    after = _wind(clock, vault, of)
    make_accounts(vault, staff)
    return Demo(home, vault, Ward(vault, clock).start(), clock, of, after)


def settle(demo: Demo, say: Say) -> tuple[Account, ...]:
    """Everybody moves in, gets their log-in, and their data begin to arrive; all log-ins."""
    of = demo.of
    news = f"the hospital opened {of.opened:%d %B %Y} goes on"
    say(news if len(of.pseudonyms) == of.people else f"making {of.people} people who do not exist")
    hospital = founded(of.people, of.seed, of.opened)
    if len(of.pseudonyms) < of.people:
        of = admit(demo, hospital, say)
    theirs = patients(demo.vault, hospital, of.pseudonyms)
    make_accounts(demo.vault, theirs)
    demo.clock.go()
    _feed(demo, hospital, of.pseudonyms)
    return (*staff, *theirs)


def admit(demo: Demo, hospital: Hospital, say: Say) -> Founded:
    """Everybody's records and their devices' past into the vault, one person after the other.

    Who has moved in stands in `demo.json` at once, so that a start cut short is taken up.
    """
    of, vault, past = demo.of, demo.vault, list(_until(hospital))
    for i, (resident, chart) in enumerate(zip(hospital.people, charts(hospital), strict=True)):
        if i < len(of.pseudonyms):
            continue
        about = f"fhir|{identity(resident)}"
        told = Options(received=hospital.opened)
        arrived = list(fhir.read(given(f"{identity(resident)}.json", chart), told))
        arrived += [upload(about, facts[i], day) for day, facts in past if facts[i]]
        grants = [Purpose(c) for c in resident.choices]
        receipt = vault.receive(founder, arrived, basis, grants)
        name = next(p.patient for p in vault.patients(founder) if p.patient not in of.pseudonyms)
        of = replace(of, pseudonyms=(*of.pseudonyms, name))
        _write(demo.home / "demo.json", of)
        demo.ward.admit(name)
        say(f"{name}: {receipt.facts:,} facts; {resident.story}")
    return of


def _until(hospital: Hospital) -> Iterator[tuple[Any, Any]]:
    """The days until the opening, each person's facts of it as far as they were known then."""
    for day, facts in days(hospital):
        if day > hospital.opened.date():
            return
        yield day, [tuple(o for o in theirs if o.known <= hospital.opened) for theirs in facts]


staff = (
    Account("clinician", "demo-clinician", Role.clinician),
    Account("researcher", "demo-researcher", Role.researcher),
    Account("operator", "demo-operator", Role.operator),
)


def patients(vault: Vault, hospital: Hospital, names: tuple[str, ...]) -> tuple[Account, ...]:
    """The first person's own log-in, and that of one who agreed to nothing."""
    unasked = (n for r, n in zip(hospital.people, names, strict=True) if not r.choices)
    wanted = [Account("patient", "demo-patient", Role.patient, names[0])]
    wanted += [Account("unasked", "demo-unasked", Role.patient, n) for n in unasked]
    gone = {p.patient for p in vault.patients(founder) if p.retired is not None}
    return tuple(a for a in wanted if a.patient not in gone)


def make_accounts(vault: Vault, accounts: Sequence[Account]) -> None:
    """Open these log-ins, where they do not exist yet."""
    for account in accounts:
        with suppress(ValueError):  # it was made when the demo was first started
            vault.accounts.add(account.name, account.password, account.role, account.patient)


def _wind(clock: HouseClock, vault: Vault, of: Founded) -> datetime:
    """Set the hospital's clock; from when on facts are still to come.

    After a restart the clock goes on where the last fact was, or now, whichever is later, and
    the last hours are brought again: what is there already counts once.
    """
    ends = [p.last for p in vault.patients(founder) if p.patient in of.pseudonyms and p.last]
    reached = max([of.opened, *ends])
    clock.hands = replace(clock.hands, began=max(reached, now()))
    return max(of.opened, reached - taken_again)


def _feed(demo: Demo, hospital: Hospital, names: tuple[str, ...]) -> None:
    """What falls due goes to the ward, for as long as it runs."""
    ward, clock = demo.ward, demo.clock

    def run() -> None:
        for _, due in groupby(arriving(hospital, demo.after), lambda d: d.at):
            together = tuple(due)
            while ward.running and clock.wait(together[0].at) > 0:
                threading.Event().wait(min(0.5, clock.wait(together[0].at)))
            if not ward.running:
                return
            for one in together:
                _bring(ward, names[one.resident.number], one)

    threading.Thread(target=run, name="arrivals", daemon=True).start()


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
    """`medtwin demo`: serve at once, let people move in meanwhile, end with Ctrl-C."""
    import uvicorn

    from medtwin.web.app import build

    console = Console(soft_wrap=True, highlight=False)
    home = home_of(Settings().store)
    demo = begin(home, speed, patients)
    console.print(f"medtwin demo: http://{host}:{port}  (everybody in it is generated)")
    for line in log_ins(staff):
        console.print(line)

    def move_in() -> None:
        theirs = settle(demo, console.print)[len(staff) :]
        for line in (*log_ins(theirs), *hints(home, speed)):
            console.print(line)

    threading.Thread(target=move_in, name="moving in", daemon=True).start()
    try:
        app = build(demo.vault, demo.ward, clock=demo.ward.clock)
        uvicorn.run(app, host=host, port=port, log_level="warning")
    finally:
        demo.ward.stop()
        demo.vault.close()


def log_ins(accounts: Sequence[Account]) -> Iterator[str]:
    """Who may log in."""
    for a in accounts:
        whose = f"  (sees {a.patient})" if a.patient else ""
        yield f"  {a.role:<11} log in as {a.name:<11} password {a.password}{whose}"


def hints(home: Path, speed: float) -> Iterator[str]:
    """What else to know."""
    yield f"  {speed:g} minutes pass in one; Ctrl-C ends it, the same command goes on"
    yield f"  on the command line: MEDTWIN_HOME={home} medtwin patients"


def _allowed(people: int) -> int:
    if not 1 <= people <= most:
        raise ValueError(f"a demo of {people} people; 1 to {most} are allowed")
    return people
