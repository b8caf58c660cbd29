"""Where each number came from: the way there, and every word that was ever said of a moment."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

import numpy as np

from medtwin.record.codes import Code, Kind
from medtwin.record.observation import Observation
from medtwin.record.quality import quality
from medtwin.record.record import moment
from medtwin.record.terminology import spoken
from medtwin.vault.consent import Purpose
from medtwin.vault.provenance import Origin
from medtwin.web import region as reader
from medtwin.web.page import File, Visit
from medtwin.web.trouble import unknown, wrong_value
from medtwin.web.views.original import Shown, sent, shown


@dataclass(frozen=True)
class Version:
    """One thing that was said: what, by whom, when, and the words of the original that say so."""

    number: int
    stands: str
    tone: str
    value: str
    sent: str
    kept: str
    source: str
    true: str
    known: str
    received: str
    name: str
    media: str
    place: str
    quality: tuple[str, ...]
    original: Shown
    download: str


@dataclass(frozen=True)
class Origins:
    """Everything said of one kind of fact at one moment, what holds today first."""

    patient: str
    name: str
    code: str
    when: str
    back: str
    codings: tuple[str, ...]
    versions: tuple[Version, ...]
    said: tuple[tuple[str, ...], ...]
    changed: bool


def way(patient: str, code: Code, at: float) -> str:
    """The address that says where this number came from."""
    return f"/patients/{patient}/origin?" + asking(code.id, moment(at))


def asking(code: str, at: datetime, **more: object) -> str:
    """The question as it stands in an address."""
    return urlencode({"code": code, "at": at.isoformat().replace("+00:00", "Z"), **more})


def origins(visit: Visit) -> Origins:
    """Everything said of this moment; who may not read the record may not read this."""
    code, at = visit.one("code"), _moment(visit.one("at"))
    found = _found(visit, code, at)
    fact, order = found[-1].fact, range(len(found) - 1, -1, -1)
    doubts = doubted(visit, fact)
    versions = tuple(_version(visit, found, i, code, at, doubts) for i in order)
    own = visit.who.patient == visit.patient
    return Origins(
        patient=visit.patient,
        name=fact.code.name,
        code=code,
        when=reader.clock(at, visit.region),
        back="/own" if own else f"/patients/{visit.patient}",
        codings=tuple(spoken(t) for t in fact.code.codings),
        versions=tuple(sorted(versions, key=lambda v: v.tone != "good")),
        said=tuple((v.known, v.value, v.source, v.stands) for v in reversed(versions)),
        changed=any(v.tone != "good" for v in versions),
    )


def original(visit: Visit) -> File:
    """The original behind one of them, byte for byte."""
    code, at = visit.one("code"), _moment(visit.one("at"))
    found = _found(visit, code, at)
    number = int(visit.number("version", 1, 1, len(found)))
    one = found[number - 1]
    if not one.original:
        raise unknown(f"{one.fact.code.name} was entered here; it has no original")
    end = "json" if "json" in one.media else "xml" if "xml" in one.media else "txt"
    plain = "".join(c if c.isalnum() or c in "-._" else "-" for c in one.name.split("/")[-1])
    return File(one.original, f"{plain[:80] or 'original'}.{end}")


def _found(visit: Visit, code: str, at: datetime) -> tuple[Origin, ...]:
    """What was known by now; what is learned later is not told."""
    found = visit.vault.origins(visit.who, visit.patient, code, at, Purpose.care)
    told = tuple(o for o in found if o.fact.known <= visit.now)
    if not told:
        raise unknown(f"nothing is kept of this code at {at.isoformat()}", "this person's record")
    return told


def _moment(words: str) -> datetime:
    try:
        at = datetime.fromisoformat(words)
    except ValueError:
        raise wrong_value("at", words, "a time with its zone, as 2026-03-01T12:00:00Z") from None
    if at.tzinfo is None:
        raise wrong_value("at", words, "a time with its zone, as 2026-03-01T12:00:00Z")
    return at


def _version(
    visit: Visit,
    found: tuple[Origin, ...],
    i: int,
    code: str,
    at: datetime,
    doubts: dict[str, tuple[str, ...]],
) -> Version:
    one = found[i]
    fact, region = one.fact, visit.region
    stands, tone = standing([o.fact for o in found], i, visit)
    until = f" until {reader.clock(fact.until, region)}" if fact.until else ""
    return Version(
        number=i + 1,
        stands=stands,
        tone=tone,
        value=said(fact, visit),
        sent=sent(one),
        kept=f"{fact.value:.6g} {reader.WORDS.get(fact.code.unit, fact.code.unit)}".strip(),
        source=fact.source,
        true=reader.clock(fact.at, region) + until,
        known=reader.clock(fact.known, region),
        received=reader.clock(one.received, region) if one.received else "not written down",
        name=one.name,
        media=one.media or "entered here",
        place=one.place or "the whole of it",
        quality=doubts.get(fact.source, ()) if tone == "good" else (),
        original=shown(one),
        download=f"/patients/{visit.patient}/origin/original?{asking(code, at, version=i + 1)}"
        if one.original
        else "",
    )


def doubted(visit: Visit, fact: Observation) -> dict[str, tuple[str, ...]]:
    """What is to be said against the readings of this moment, by source; nothing if none is."""
    if fact.code.kind is not Kind.measurement:
        return {}
    since = fact.at - timedelta(days=3)
    asked = (visit.who, visit.patient, Purpose.care, visit.now, since, (fact.code,))
    now = (series := visit.vault.record(*asked)[fact.code]).current
    judged = quality(fact.code, series)
    here = np.flatnonzero(np.abs(now.at - fact.at.timestamp()) < 1e-6)
    return {now.sources[int(now.source[i])]: judged.because(int(i)) for i in here}


def said(fact: Observation, visit: Visit) -> str:
    """The fact in the reader's words."""
    number = reader.amount(fact.code, fact.value, visit.region)
    if not fact.says:
        return number
    return fact.says if fact.value == 1 and fact.code.unit == "1" else f"{number}, {fact.says}"


def standing(said: list[Observation], i: int, visit: Visit) -> tuple[str, str]:
    """Whether this still holds, or what the same source said in its place, and when."""
    later = [o for o in said[i + 1 :] if o.source == said[i].source]
    if said[i].withdrawn:
        return "takes back what was said before", "warning"
    if not later:
        return "holds today", "good"
    when = reader.clock(later[0].known, visit.region)
    word = "taken back" if later[0].withdrawn else "amended"
    return f"{word} on {when}", "warning"
