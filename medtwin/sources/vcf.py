"""Variants of a genome (VCF, gVCF; plain, gzip, bgzip): star alleles and polygenic scores.

What the file does not say (whose each sample is, which scores to sum) a mapping file may
(`vcf_asking`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from medtwin.genome import ancestry, facts
from medtwin.genome.builds import UnknownBuild
from medtwin.genome.calling import Call, call
from medtwin.genome.definitions import UNCALLED, genes
from medtwin.genome.observing import Observed, Places, take
from medtwin.genome.polygenic import Adding, Sum
from medtwin.genome.scoring import BadScore, Scoring, scoring
from medtwin.genome.variants import (
    BadVariants,
    Header,
    Site,
    Told,
    lines,
    read_header,
    sites,
)
from medtwin.sources.reference_scores import BadReference
from medtwin.sources.source import SMALL, Arrived, Options, Refusal, Sent, Source, unread
from medtwin.sources.vcf_asking import Asking, BadAsking, asked

MEDIA = "text/x-vcf"
BATCH = 20_000  # lines between two looks at what was read
PART = 1 << 20  # of the original, kept as one piece


@dataclass
class Reading:
    """One VCF on its way through: what was asked, seen and summed so far."""

    what: Sent
    options: Options
    asking: Asking
    header: Header
    people: dict[int, Observed]
    about: dict[int, str]
    places: Places
    sums: list[Adding]
    told: Told = field(default_factory=Told)

    def wanted(self, chromosome: str, position: int, end: int) -> bool:
        """Whether a gene or a score asks about this line."""
        if self.places.wanted(chromosome, position, end):
            return True
        return any(s.wanted(chromosome, position, end) for s in self.sums)

    def take(self, site: Site) -> None:
        """What one line says, to every gene and score."""
        take(site, self.places, self.people, self.told)
        for one in self.sums:
            one.take(site)


def recognises(_: Path, head: bytes) -> bool:
    """The first line of a VCF, plain or inside gzip."""
    if head.startswith(b"\x1f\x8b"):
        head = _opened(head)
    return head.startswith(b"##fileformat=VCF")


def _opened(head: bytes) -> bytes:
    import zlib

    try:
        return zlib.decompressobj(31).decompress(head, 1 << 10)
    except zlib.error:
        return b""


@dataclass
class Kept:
    """The bytes as they came, until they are handed over as a part of the original.

    Of a file of several people none are kept: nobody's original may hold another's genome.
    """

    held: bytearray = field(default_factory=bytearray)
    mine: int = 1

    def take(self, piece: bytes) -> None:
        """Some more of the file."""
        if self.mine == 1:
            self.held += piece


def read(what: Sent, options: Options) -> Iterator[Arrived]:
    """Every person's facts; one person's file is kept piece by piece as it came."""
    kept = Kept()
    try:
        asking = asked(options.mapping)
        with what.open() as file:
            text = lines(file, kept.take)
            header, first = read_header(text, asking.build)
            reading = begun(what, options, asking, header)
            kept.mine = len(header.samples)
            yield from _through(reading, text, first + 1, kept)
        yield from arrivals(reading, bytes(kept.held))
    except (BadVariants, UnknownBuild, BadAsking, BadScore, BadReference) as why:
        then = str(why).rpartition("; ")[2] if "; " in str(why) else "send it again"
        yield unread(what, str(why), then, bytes(kept.held[:SMALL]) if kept.mine == 1 else b"")


def _through(reading: Reading, text: Iterator[bytes], first: int, kept: Kept) -> Iterator[Arrived]:
    while batch := list(islice(text, BATCH)):
        asks = reading.wanted if reading.sums else reading.places.wanted
        for site in sites(iter(batch), reading.header, asks, reading.told, first):
            reading.take(site)
        first += len(batch)
        while len(kept.held) > PART and kept.mine == 1:
            yield _part(reading, bytes(kept.held[:PART]))
            del kept.held[:PART]


def _part(reading: Reading, piece: bytes) -> Arrived:
    about = next(iter(reading.about.values()))
    return Arrived(piece, MEDIA, reading.what.name, about, None, (), (), kind="VCF, a part")


def begun(what: Sent, options: Options, asking: Asking, header: Header) -> Reading:
    """Ready to read. Raises `BadVariants` where nobody says whose the samples are."""
    about = _whose(header, asking, options)
    places = Places(header.build)
    people = {i: Observed(header.samples[i]) for i in about}
    found: list[Scoring] = []
    for path in asking.scores:
        with path.open("rb") as file:
            found.append(scoring(file, header.build))
    sums = [Adding(s, header.samples, asking.strands) for s in found]
    return Reading(what, options, asking, header, people, about, places, sums)


def _whose(header: Header, asking: Asking, options: Options) -> dict[int, str]:
    if len(header.samples) == 1:
        sample = header.samples[0]
        return {0: asking.samples.get(sample) or options.about or f"vcf|{sample}"}
    known = {i: asking.samples[s] for i, s in enumerate(header.samples) if s in asking.samples}
    if not known:
        raise BadVariants(
            f"it has {len(header.samples)} samples and nobody says whose they are; "
            'give a mapping file {"samples": {"sample name": "system|patient number"}}'
        )
    return known


def arrivals(reading: Reading, original: bytes) -> Iterator[Arrived]:
    """What the file said of each person."""
    sums = [a.sums(reading.asking.enough) for a in reading.sums]
    several = len(reading.header.samples) > 1
    general = tuple(_general(reading))
    for index, who in reading.people.items():
        calls = [call(gene, who.seen.get(gene, {})) for gene in genes()]
        own = _own(reading, who, calls) if several else original
        found = [one[index] for one in sums]
        yield _arrived(reading, index, calls, found, own, general)
        general = ()


def _arrived(
    reading: Reading,
    index: int,
    calls: list[Call],
    sums: list[Sum],
    original: bytes,
    general: tuple[Refusal, ...],
) -> Arrived:
    about, who = reading.about[index], reading.people[index]
    when = facts.When(_dated(reading), reading.options.received, "genome, VCF")
    told = {c.gene for c in reading.asking.outside if not c.refused}
    mine = [c for c in calls if c.gene not in told]
    placed = list(facts.of_calls(mine, when))
    if len(reading.header.samples) == 1:
        placed += facts.of_outside([c for c in reading.asking.outside if not c.refused], when)
    refused = [*general, *_undecided(mine, about), *_outside_refused(reading, about)]
    for one in sums:
        refused += _score_refused(one, about)
        if not one.refused:
            placed += facts.of_score(one, _among(reading, one), when)
    refused += [
        _refusal("a known place", about, note, "check the build") for note in who.notes[:20]
    ]
    found, where = zip(*placed, strict=True) if placed else ((), ())
    name = reading.what.name
    return Arrived(
        original, MEDIA, name, about, None, found, tuple(refused), kind="VCF", places=where
    )


def _among(reading: Reading, found: Sum) -> ancestry.Placed | None:
    known = reading.asking.references.get(found.score.name)
    if known is None:
        return None
    asking = reading.asking
    return known.placed(
        found.value, asking.groups.get(found.sample, ""), asking.components.get(found.sample)
    )


def _undecided(calls: list[Call], about: str) -> Iterator[Refusal]:
    nothing = [c.gene for c in calls if not c.pairs]
    if nothing:
        names = ", ".join(nothing)
        because = "the file has no call at any of their places"
        then = "send a gVCF, or one with reference calls at the known places"
        yield _refusal(f"star alleles of {names}", about, because, then)
    for one in calls:
        if one.pairs and one.doubt and not one.doubt.startswith("CPIC gives"):
            then = "send a file that reads these places (gVCF), or an outside call"
            yield _refusal(f"{one.gene} phenotype", about, one.doubt, then)
    known = "CYP2D6"
    yield _refusal(f"{known} star alleles", about, UNCALLED[known], "give an outside call")


def _outside_refused(reading: Reading, about: str) -> Iterator[Refusal]:
    for one in reading.asking.outside:
        if one.refused:
            what = f"outside call, line {one.line}"
            yield _refusal(what, about, one.refused, "correct the line and send it again")
    if reading.asking.outside and len(reading.header.samples) > 1:
        because = "outside calls name no sample, and this file has several"
        yield _refusal("outside calls", about, because, "send them with each person's own file")


def _score_refused(found: Sum, about: str) -> list[Refusal]:
    if not found.refused:
        return []
    what = f"polygenic score {found.score.name}"
    return [_refusal(what, about, found.refused, "send a file with imputed genotypes")]


def _general(reading: Reading) -> Iterator[Refusal]:
    told, name = reading.told, reading.what.name
    for why in told.bad:
        yield _refusal(f"{name}, {why.partition(':')[0]}", "nobody named", why, "correct the line")
    if told.structural:
        because = f"{told.structural} lines tell structural variants, which are counted, not read"
        yield _refusal(name, "nobody named", because, "give an outside call for what they mean")
    if told.filtered:
        because = f"{told.filtered} lines at known places failed the caller's filters"
        yield _refusal(
            name, "nobody named", because, "look at their FILTER; they count as not read"
        )
    unmapped = len(reading.header.samples) - len(reading.people)
    if unmapped:
        because = f"the mapping names nobody for {unmapped} of its samples"
        yield _refusal(
            name, "nobody named", because, "add them to the mapping if they are patients"
        )


def _refusal(what: str, whose: str, because: str, then: str) -> Refusal:
    return Refusal(what, whose, because, then)


def _dated(reading: Reading) -> datetime:
    received = reading.options.received
    digits = "".join(c for c in reading.header.date if c.isdigit())[:8]
    try:
        written = datetime.strptime(digits, "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:
        return received
    return min(written, received)


def _own(reading: Reading, who: Observed, calls: list[Call]) -> bytes:
    """What of a file of several people is one person's: their calls at the known places."""
    rows = [f"##reference={reading.header.build}", f"#GENE\tGRCh38\t{who.sample}"]
    for gene, seen in who.seen.items():
        for at, one in seen.items():
            mark = "|" if one.phased else "/"
            rows.append(f"{gene}\t{at}\t{mark.join(a or '.' for a in one.alleles)}")
    return "\n".join(rows).encode()


source = Source(
    "Variants of a genome (VCF)",
    "VCF 4.1 to 4.5 and gVCF (samtools/hts-specs); PGS Catalog scoring files 2.0; CPIC",
    (".vcf", ".vcf.gz", ".vcf.bgz", ".gvcf", ".g.vcf.gz"),
    recognises,
    read,
    streams=True,
)
