"""The worklist: who needs a person first, by stated reasons and not by a score."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from medtwin.record.person import Person
from medtwin.web import region as reader
from medtwin.web.region import Region
from medtwin.web.views.alerts import RANK, Row
from medtwin.web.views.tiles import Pill

SILENT = timedelta(hours=1)
ORDER = "what asks for action now, then soon, then notes, then long silence; newest first in each"


@dataclass(frozen=True)
class Line:
    """One person on the list, and why they stand where they stand."""

    patient: str
    name: str
    who: str
    rank: int
    tone: str
    because: str
    more: str
    waiting: int
    glucose: str
    level: Pill | None
    data_age: str
    data_at: str
    stale: bool
    status: tuple[Pill, ...]
    open: bool
    ended: bool = False


@dataclass(frozen=True)
class Standing:
    """What decides a place: open alerts, the age of the last data, and the words for both."""

    alerts: tuple[Row, ...]
    last: datetime | None
    open: bool


def place(standing: Standing, now: datetime) -> tuple[int, float]:
    """Smaller comes first: the most pressing matter, and then the newest."""
    if not standing.open:
        return 5, 0.0
    if standing.alerts:
        first = standing.alerts[0]
        return RANK[first.urgency], -datetime.fromisoformat(first.iso).timestamp()
    silent = standing.last is None or now - standing.last > SILENT
    return (3 if silent else 4), -(standing.last.timestamp() if standing.last else 0.0)


def why(standing: Standing, now: datetime) -> tuple[str, str, str]:
    """The tone, the reason for the place, and its detail."""
    if standing.alerts:
        first = standing.alerts[0]
        return first.urgency, f"{first.word}: {first.headline}", first.because
    if standing.last is None:
        return "", "No data yet", ""
    if now - standing.last > SILENT:
        return "", f"No new data for {reader.lasting(now - standing.last)}", ""
    return "", "Nothing waits", "no open alert, data is arriving"


def described(person: Person, now: datetime) -> str:
    """Sex and age, as on a wristband; of a person who died, when and at what age."""
    said = [person.sex] if person.sex else []
    born, then = person.born, person.died or now
    if person.died:
        said.append(f"died {person.died:%-d %B %Y}")
    if born:
        years = then.year - born.year - ((then.month, then.day) < (born.month, born.day))
        said.append(f"aged {years} years" if person.died else f"{years} years")
    return ", ".join(said)


def age_words(last: datetime | None, region: Region, now: datetime) -> tuple[str, str]:
    """How old the newest fact is, and when that was."""
    if last is None:
        return "none yet", ""
    return reader.age(last, now), reader.clock(last, region, now)
