"""The person's own page: plain words, their choices, who looked, and how it can end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from medtwin.record import codes
from medtwin.vault.access import Action, Role
from medtwin.vault.audit import Line
from medtwin.vault.consent import Choice, Purpose
from medtwin.web import region as reader
from medtwin.web.bedside.ahead import expected
from medtwin.web.bedside.origins import way
from medtwin.web.page import Page, Visit
from medtwin.web.region import Region
from medtwin.web.trouble import wrong_value
from medtwin.web.twins import lines
from medtwin.web.views.alerts import Row, pressing, rows
from medtwin.web.views.copy import Copy, copied
from medtwin.web.views.glucose import Chart, chart
from medtwin.web.views.own import Plain, heeding, plain

PURPOSES = {
    Purpose.care: (
        "Care",
        "Your team may see your record and your alerts.",
        "Your team can no longer see anything of you here.",
    ),
    Purpose.twin: (
        "Your twin",
        "A model of your body learns from your data, looks ahead and warns.",
        "Nothing is computed about you: no forecast, no warning ahead of time.",
    ),
    Purpose.research: (
        "Research",
        "Researchers may use your data, without your name.",
        "Researchers cannot use your data.",
    ),
    Purpose.training: (
        "Training of models",
        "Models for other people may learn from your data.",
        "No model for other people learns from your data.",
    ),
    Purpose.sharing: (
        "Sharing",
        "Your data may be given to other institutions, without your name.",
        "Your data stays in this house.",
    ),
}
DID = {
    Action.read: "read your record",
    Action.identify: "saw your name",
    Action.see_choices: "looked at your choices",
    Action.see_audit: "looked at who looked",
    Action.keep: "kept a forecast, a twin or a warning",
    Action.add: "added new data",
    Action.receive: "brought in your record",
    Action.acknowledge: "acknowledged a warning",
    Action.choose: "entered a choice for you",
}
LOOKED = timedelta(days=30)
CALL = "your diabetes team"


@dataclass(frozen=True)
class Switch:
    """One consent, as it stands."""

    purpose: str
    name: str
    yes: bool
    says: str
    since: str


@dataclass(frozen=True)
class Looked:
    """Who opened the record, how often, and when last."""

    who: str
    did: str
    times: int
    last: str


@dataclass(frozen=True)
class Own:
    """The whole page."""

    name: str
    plain: Plain
    chart: Chart | None
    alerts: tuple[Row, ...]
    call: str
    switches: tuple[Switch, ...]
    looked: tuple[Looked, ...]


def view(visit: Visit) -> Own:
    """A person's own page."""
    asked = (visit.who, visit.patient)
    person = visit.vault.who(*asked, Purpose.care)
    record = visit.vault.record(
        *asked,
        Purpose.care,
        by=visit.now,
        since=visit.now - timedelta(days=30),
        codes=(codes.glucose, codes.carbohydrate, codes.insulin_bolus),
    )
    ahead, closed = expected(visit)
    warned = pressing(rows(visit.vault.alerts(*asked), visit.region, visit.now, ""))
    why = f"We do not look ahead for you: {closed.because}." if closed else ""
    seen = record[codes.glucose].current
    since = visit.now - timedelta(hours=8)
    return Own(
        name=person.name,
        plain=heeding(plain(seen, ahead, visit.region, visit.now, why), warned),
        chart=chart(
            *(record, lines(ahead) if ahead else None, visit.region, visit.now, since),
            way=partial(way, visit.patient),
        )
        if len(seen)
        else None,
        alerts=warned,
        call=visit.contact or CALL,
        switches=switches(visit.vault.choices(*asked), visit.region),
        looked=looked(visit.vault.audit(*asked, limit=2000), visit),
    )


def copy(visit: Visit) -> Copy:
    """Everything kept about this person, as they may take it away."""
    asked = (visit.who, visit.patient)
    return copied(
        visit.vault.who(*asked, Purpose.care),
        visit.vault.choices(*asked),
        visit.vault.record(*asked, Purpose.care, by=visit.now),
        visit.now.isoformat(),
    )


def switches(choices: Sequence[Choice], region: Region) -> tuple[Switch, ...]:
    """Every purpose with the last choice made; silence is no."""
    last = {c.purpose: c for c in choices}
    return tuple(
        Switch(
            purpose.value,
            name,
            bool(purpose in last and last[purpose].yes),
            on if purpose in last and last[purpose].yes else off,
            f"since {reader.clock(last[purpose].at, region)}"
            if purpose in last
            else "you were never asked; until you say yes, it is no",
        )
        for purpose, (name, on, off) in PURPOSES.items()
    )


def looked(lines: Sequence[Line], visit: Visit) -> tuple[Looked, ...]:
    """Who did what with this record in the last thirty days, the newest first."""
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        recent = line.at >= visit.now - LOOKED
        if recent and line.who not in (visit.who.signature, visit.patient):
            who = f"{line.who} ({line.role})"
            did = DID.get(Action(line.action), line.action)
            did = did if line.allowed else f"was refused: {did}"
            groups.setdefault((who, did), []).append(line)
    found = [
        Looked(who, did, len(g), reader.age(max(x.at for x in g), visit.now))
        for (who, did), g in groups.items()
    ]
    return tuple(found[:30])


def choose(visit: Visit) -> str:
    """Enter a choice; it holds from this moment on."""
    purpose, yes = visit.form.get("purpose", ""), visit.form.get("yes", "")
    if purpose not in Purpose.__members__:
        raise wrong_value("purpose", purpose, ", ".join(Purpose))
    if yes not in ("1", "0"):
        raise wrong_value("yes", yes, "1 for yes, 0 for no")
    visit.vault.choose(visit.who, visit.patient, Purpose(purpose), yes == "1")
    return "/own#choices"


page = Page(
    "own",
    "My page",
    "/own",
    "a person's own page in plain words",
    view,
    roles=frozenset({Role.patient}),
    glyph="person",
    parts={"copy": copy},
    acts={"choose": choose},
    live="/live",
)
