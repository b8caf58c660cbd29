"""A strip of a waveform: ten seconds of an ECG or another signal, channel by channel."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from jaxtyping import Float32

from medtwin.record import codes
from medtwin.vault.access import Role
from medtwin.vault.consent import Purpose
from medtwin.web import region as reader
from medtwin.web.page import Page, Visit
from medtwin.web.trouble import unknown, wrong_value

STRIP = timedelta(seconds=10)
WIDE, TALL, POINTS, CHANNELS = 1000.0, 90.0, 1500, 16


@dataclass(frozen=True)
class Trace:
    """One channel as a line in a 1000 by 90 box, with the figures at its edges."""

    name: str
    path: str
    low: str
    high: str


@dataclass(frozen=True)
class SignalView:
    """Ten seconds of a signal, and the way to those before and after."""

    patient: str
    back: str
    name: str
    code: str
    since: str
    from_to: str
    source: str
    rate: str
    traces: tuple[Trace, ...]
    before: str
    after: str


def view(visit: Visit) -> SignalView:
    """The strip at the time asked for; the last one where none is."""
    code = visit.one("code")
    known = {s.code: s for s in visit.vault.signals(visit.who, visit.patient, Purpose.care)}
    if code not in known:
        raise unknown(f"no signal {code!r} is kept", "this person's record")
    span = known[code]
    at = _at(visit) or max(span.first, span.last - STRIP)
    asked = (visit.who, visit.patient, code, at, at + STRIP, Purpose.care)
    waves = visit.vault.waveforms(*asked)
    ours = codes.known().get(code)
    own = visit.who.patient == visit.patient
    return SignalView(
        patient=visit.patient,
        back="/own" if own else f"/patients/{visit.patient}#journey",
        name=ours.name if ours else code.rpartition("|")[2].replace("ecg", "ECG"),
        code=code,
        since=f"{reader.clock(at, visit.region)}, second {at.second}",
        from_to=" to ".join(reader.clock(t, visit.region) for t in (span.first, span.last)),
        source=", ".join(dict.fromkeys(w.source for w in waves)),
        rate=", ".join(dict.fromkeys(f"{w.rate:g} samples a second" for w in waves)),
        traces=tuple(
            trace(f"{channel}, {unit}", row)
            for w in waves[:1]
            for channel, unit, row in zip(w.channels, w.units, w.samples, strict=True)
        )[:CHANNELS],
        before=iso(at - STRIP) if at > span.first else "",
        after=iso(at + STRIP) if at + STRIP < span.last else "",
    )


def iso(at: datetime) -> str:
    """A time as it stands in an address."""
    return at.isoformat().replace("+00:00", "Z")


def _at(visit: Visit) -> datetime | None:
    words = visit.one("at")
    try:
        at = datetime.fromisoformat(words) if words else None
    except ValueError:
        at = None
    if words and (at is None or at.tzinfo is None):
        raise wrong_value("at", words, "a time with its zone, as 2026-03-01T12:00:00Z")
    return at


def trace(name: str, samples: Float32[np.ndarray, " sample"]) -> Trace:
    """A channel as a line: lowest and highest of each stretch, so that no spike is lost."""
    there = samples[np.isfinite(samples)]
    if not len(there):
        return Trace(name, "", "the lead was off", "")
    low, high = float(there.min()), float(there.max())
    step = max(len(samples) * 2 // POINTS, 1)
    edges = range(0, len(samples), step)
    words: list[str] = []
    pen = "M"
    for begin in edges:
        part = samples[begin : begin + step]
        part = part[np.isfinite(part)]
        if not len(part):
            pen = "M"
            continue
        x = begin / max(len(samples) - 1, 1) * WIDE
        turns = (part[0],) if step == 1 else (part.min(), part.max())
        for value in turns:
            y = TALL - 4 - (float(value) - low) / max(high - low, 1e-9) * (TALL - 8)
            words.append(f"{pen}{x:.1f} {y:.1f}")
            pen = "L"
    return Trace(name, " ".join(words), f"{low:.3g}", f"{high:.3g}")


page = Page(
    "signal",
    "Signal",
    "/patients/{patient}/signal",
    "ten seconds of a waveform at a time, as the device drew it",
    view,
    roles=frozenset({Role.clinician, Role.patient}),
)
