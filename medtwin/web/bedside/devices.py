"""Which device counts, where several tell of the same amounts: nothing is added up twice."""

from dataclasses import dataclass
from datetime import timedelta

from medtwin.record.codes import Code
from medtwin.record.priority import counted, order_of, preferring, setting, summed
from medtwin.record.record import Record
from medtwin.vault.consent import Purpose
from medtwin.web import region as reader
from medtwin.web.page import Visit
from medtwin.web.trouble import wrong_value

LATELY = timedelta(days=30)


@dataclass(frozen=True)
class Shared:
    """One kind of amount that several sources tell: in which order they count, and the sums."""

    code: str
    name: str
    order: tuple[str, ...]
    told: str
    once: str
    chosen: str


@dataclass(frozen=True)
class DevicesPart:
    """Every such amount of the last thirty days."""

    patient: str
    rows: tuple[Shared, ...]


def of_record(visit: Visit, record: Record) -> DevicesPart:
    """Amounts with more than one source, and what counts of them."""
    rows = (_shared(visit, record, code) for code in record.columns if summed(code))
    return DevicesPart(visit.patient, tuple(r for r in rows if r is not None))


def _shared(visit: Visit, record: Record, code: Code) -> Shared | None:
    since = (visit.now - LATELY).timestamp()
    whole, once = record[code].current, counted(record, code)
    whole, once = whole.keep(whole.at >= since), once.keep(once.at >= since)
    if len(set(whole.source.tolist())) < 2:
        return None
    said = record[setting(code)].current
    who = said.sources[int(said.source[-1])] if len(said) else ""
    when = reader.clock(reader.utc(float(said.at[-1])), visit.region) if len(said) else ""
    return Shared(
        code=code.id,
        name=code.name,
        order=order_of(record, code),
        told=reader.amount(code, float(whole.value.sum()), visit.region),
        once=reader.amount(code, float(once.value.sum()), visit.region),
        chosen=f"set by {who} on {when}" if len(said) else "the usual order",
    )


def prefer(visit: Visit) -> str:
    """Put one source first; it holds from now on, and who set it is kept with it."""
    record = visit.vault.record(visit.who, visit.patient, Purpose.care, by=visit.now)
    named = {c.id: c for c in record.columns if summed(c)}
    code, first = visit.form.get("code", ""), visit.form.get("first", "")
    if code not in named:
        raise wrong_value("code", code, ", ".join(sorted(named)) or "nothing that is added up")
    order = order_of(record, named[code])
    if first not in order:
        raise wrong_value("first", first, ", ".join(order))
    after = (first, *(s for s in order if s != first))
    fact = preferring(named[code], after, visit.now, visit.who.name)
    visit.vault.add(visit.who, visit.patient, [fact], Purpose.care)
    return f"/patients/{visit.patient}#devices"
