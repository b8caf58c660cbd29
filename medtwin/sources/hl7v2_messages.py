"""One HL7 v2 message, segment after segment: what it says of whom, as FHIR resources."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import takewhile

from medtwin.sources import hl7v2_medicines as medicines
from medtwin.sources import hl7v2_segments as segments
from medtwin.sources import hl7v2_values as values
from medtwin.sources.fhir_words import Resource
from medtwin.sources.hl7_times import moment
from medtwin.sources.hl7v2_parser import Message, Segment
from medtwin.sources.hl7v2_segments import Context, dated
from medtwin.sources.hl7v2_types import identifier, sender, spoken


@dataclass(frozen=True, slots=True)
class Found:
    """A resource, and the segment it came from."""

    resource: Resource
    place: str


@dataclass
class Part:
    """What a message says of one person. Filled while the message is walked through."""

    patient: Resource | None = None
    found: list[Found] = field(default_factory=list)
    kept: list[tuple[str, str]] = field(default_factory=list)  # what it is, where it stands
    wrong: list[tuple[str, str]] = field(default_factory=list)  # where it stands, because
    papers: list[tuple[str, str]] = field(default_factory=list)  # where it stands, its text
    merges: list[tuple[str, str]] = field(default_factory=list)  # where it stands, other numbers

    @property
    def visit(self) -> Resource | None:
        """The visit it speaks of, if it says when that was."""
        found = (f.resource for f in self.found)
        return next((r for r in found if r["resourceType"] == "Encounter"), None)


@dataclass
class Walk:
    """Where we are in a message. Life: made for one message, thrown away after it."""

    message: Message
    now: Context
    index: int = 0
    parts: list[Part] = field(default_factory=lambda: [Part()])
    said: str = ""  # the OBX-3 of the text that may go on in the next OBX
    lines: list[str] = field(default_factory=list)  # that text, line by line

    @property
    def part(self) -> Part:
        """The person we are at."""
        return self.parts[-1]

    def add(self, resource: Resource, segment: Segment) -> None:
        """One more thing found."""
        self.close()
        self.lines = [resource["valueString"]] if "valueString" in resource else []
        self.part.found.append(Found(resource, segment.place))

    def close(self) -> None:
        """The text that went on from OBX to OBX is whole."""
        if len(self.lines) > 1:
            self.part.found[-1].resource["valueString"] = "\n".join(self.lines)
        self.lines = []

    def keep(self, segment: Segment, what: str = "") -> None:
        """A segment that is kept in the original, counted, and not turned into facts."""
        self.part.kept.append((what or f"HL7 v2 {segment.name}", segment.place))

    def after(self, *stops: str) -> list[Segment]:
        """The segments from here to the next of these."""
        rest = self.message.segments[self.index + 1 :]
        return list(takewhile(lambda s: s.name not in stops, rest))


def told(message: Message) -> list[Part]:
    """Everything the message says, person by person."""
    walk = Walk(message, _began(message))
    for index, segment in enumerate(message.segments):
        walk.index = index
        READERS.get(segment.name, Walk.keep)(walk, segment)
        walk.said = segment[3].raw if segment.name == "OBX" else ""
    walk.close()
    spoke = [p for p in walk.parts if p.patient or p.found or p.kept or p.wrong or p.merges]
    return spoke or walk.parts[:1]


def _began(message: Message) -> Context:
    head, event = message.head, message.first("EVN")
    own = (dated(event, 6) or dated(event, 2)) if event else ""
    code = head[9][2] or (event.text(1) if event else "")
    return Context(sender(head), own or moment(head.text(7)), code)


def nothing(_: Walk, __: Segment) -> None:
    """Read elsewhere, with the segment it belongs to."""


def patient(walk: Walk, pid: Segment) -> None:
    """A person begins."""
    walk.close()
    if walk.part.patient:
        walk.parts.append(Part())
    walk.now = replace(_began(walk.message), by=walk.now.by)
    who = segments.patient(pid, walk.now.by)
    walk.part.patient = who
    if who.get("identifier"):
        walk.now = replace(walk.now, whose={"identifier": who["identifier"][0]})


def merged(walk: Walk, mrg: Segment) -> None:
    """Other numbers are said to be this person's: for people to review, never done in silence."""
    known = [identifier(v, walk.now.by) for n in (1, 4) for v in mrg.every(n) if v[1]]
    numbers = "\n".join(f"{i['system']}|{i['value']}" for i in known)
    walk.part.merges.append((mrg.place, numbers))


def visit(walk: Walk, pv1: Segment) -> None:
    """A visit; without a time it only says where somebody is."""
    found = segments.encounter(pv1, replace(walk.now, visit=None))
    if not found.get("period"):
        walk.keep(pv1)
        return
    for pv2 in (s for s in walk.after("PV1", "PID") if s.name == "PV2" and s[3]):
        found["reasonCode"] = [segments.reason(pv2, walk.now)]
    walk.add(found, pv1)
    walk.now = replace(walk.now, visit=found)


def ordered(walk: Walk, orc: Segment) -> None:
    """An order begins; what is ordered follows."""
    walk.now = replace(walk.now, order=orc, request=None)


RESULTS = ("ORU", "OUL", "ORA")


def requested(walk: Walk, obr: Segment) -> None:
    """OBR: in a message of results a report, elsewhere an order."""
    walk.now = replace(walk.now, request=obr)
    sort = walk.message.type[:3]
    if sort == "MDM":
        walk.keep(obr)
    else:
        resource = (segments.report if sort in RESULTS else segments.order)(obr, walk.now)
        walk.add(resource, obr)


def observed(walk: Walk, obx: Segment) -> None:
    """OBX: a value; lines of text with one name are one text; papers are documents."""
    if obx.text(2) in values.PAPER:
        _paper(walk, obx)
        return
    found = values.observation(obx, walk.now)
    if obx[3].raw == walk.said and "valueString" in found and walk.lines:
        walk.lines.append(found["valueString"])
        return
    walk.add(found, obx)


def _paper(walk: Walk, obx: Segment) -> None:
    try:
        content = values.attachment(obx)
    except ValueError as why:
        walk.part.wrong.append((obx.place, str(why)))
        return
    resource = walk.now.about(
        "DocumentReference",
        status="current",
        type=segments.coded(obx, 3, walk.now.by),
        date=dated(obx, 14) or walk.now.sent,
        content=[{"attachment": content}],
    )
    walk.add(resource, obx)


def document(walk: Walk, txa: Segment) -> None:
    """A document: its text stands in the OBX after it and is kept for whoever reads notes."""
    after = [s for s in walk.after("TXA", "PID") if s.name == "OBX"]
    contents = []
    for obx in (s for s in after if s.text(2) in values.PAPER | values.WORDS):
        try:
            contents.append(values.attachment(obx))
        except ValueError as why:
            walk.part.wrong.append((obx.place, str(why)))
    walk.add(segments.document(txa, walk.now, contents), txa)
    if said := "\n".join(values.texts(after)).strip():
        walk.part.papers.append((txa.place, said))


def noted(walk: Walk, obx: Segment) -> None:
    """OBX of a document: text and papers were read with it, values are observations."""
    if obx.text(2) not in values.PAPER | values.WORDS:
        observed(walk, obx)


def medicine(walk: Walk, segment: Segment) -> None:
    """RXO or RXE: an order as somebody wrote it, or as the pharmacy encoded it."""
    stops = ("RXO", "RXE") if segment.name == "RXE" else ("RXO",)
    after = walk.after("ORC", "PID", *stops)
    if segment.name == "RXO" and any(s.name == "RXE" for s in after):
        walk.keep(segment)
        return
    walk.add(medicines.medicine_ordered(segment, walk.now, _how(after)), segment)


def _how(after: list[Segment]) -> list[str]:
    timing = [medicines.how_often(s) for s in after if s.name == "TQ1"]
    return timing + [spoken(s[1]) for s in after if s.name == "RXR"]


def dispensed(walk: Walk, rxd: Segment) -> None:
    """A medicine handed out."""
    how = _how(walk.after("ORC", "PID", "RXD"))
    walk.add(medicines.medicine_dispensed(rxd, walk.now, how), rxd)


def given(walk: Walk, rxa: Segment) -> None:
    """A vaccine in a VXU, a dose of medicine elsewhere."""
    if walk.message.type[:3] != "VXU":
        walk.add(medicines.medicine_given(rxa, walk.now), rxa)
    elif rxa.text(5) == "998":  # CVX: no vaccine was given; what follows are answers
        walk.keep(rxa)
    else:
        walk.add(medicines.vaccination(rxa, walk.now), rxa)


def appointed(walk: Walk, sch: Segment) -> None:
    """SCH comes before the person it is about, and before the time of its service."""
    if sch.number > 1:
        walk.keep(sch)
        return
    after = walk.message.segments
    pid = next((s for s in after if s.name == "PID"), None)
    who = segments.patient(pid, walk.now.by).get("identifier", [])[:1] if pid else []
    now = replace(walk.now, whose={"identifier": who[0]} if who else None)
    found = segments.appointment(sch, now)
    service = next((s for s in after if s.name == "AIS"), None)
    if service:
        found["serviceType"] = [segments.coded(service, 3, now.by)]
        found["start"] = found.get("start") or dated(service, 4)
    walk.add(found, sch)


def _plain(make: Callable[[Segment, Context], Resource]) -> Callable[[Walk, Segment], None]:
    return lambda walk, segment: walk.add(make(segment, walk.now), segment)


def _observed_or_noted(walk: Walk, obx: Segment) -> None:
    (noted if walk.message.type[:3] == "MDM" else observed)(walk, obx)


READERS: dict[str, Callable[[Walk, Segment], None]] = {
    **dict.fromkeys(("MSH", "EVN", "SFT", "PV2", "TQ1", "RXR"), nothing),
    "PID": patient,
    "MRG": merged,
    "PV1": visit,
    "ORC": ordered,
    "OBR": requested,
    "OBX": _observed_or_noted,
    "TXA": document,
    "RXO": medicine,
    "RXE": medicine,
    "RXD": dispensed,
    "RXA": given,
    "SCH": appointed,
    "AL1": _plain(segments.allergy),
    "IAM": _plain(segments.allergy),
    "DG1": _plain(segments.condition),
    "PRB": _plain(segments.problem),
    "PR1": _plain(segments.procedure),
}
