"""What a genome says, as facts of the record: diplotypes, phenotypes, what they mean, scores."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from medtwin.genome.ancestry import Placed
from medtwin.genome.calling import Call
from medtwin.genome.definitions import UnknownGene
from medtwin.genome.dosing import findings
from medtwin.genome.outside import Outside
from medtwin.genome.phenotypes import Phenotype, UnknownAllele, phenotype
from medtwin.genome.polygenic import Sum
from medtwin.record import codes
from medtwin.record.codes import Code, Kind
from medtwin.record.observation import Observation

CPIC, CATALOG = "https://cpicpgx.org", "https://www.pgscatalog.org"
# Alleles that models of medtwin ask for, as counts.
COUNTS = (
    ("CYP2C9", "*2", codes.cyp2c9_2),
    ("CYP2C9", "*3", codes.cyp2c9_3),
    ("VKORC1", "rs9923231 variant (T)", codes.vkorc1_a),
)
EXPRESSER = ("CYP3A5", "*1")


@dataclass(frozen=True, slots=True)
class When:
    """When the file was written, when we learned of it, and who sent it."""

    at: datetime
    known: datetime
    source: str


Placing = tuple[Observation, str]


def diplotype_code(gene: str) -> Code:
    """The two alleles of a gene, in words."""
    return codes.opened(f"{CPIC}|{gene}-diplotype", f"{gene} diplotype", "1", Kind.answer)


def phenotype_code(gene: str) -> Code:
    """What the two alleles of a gene mean together; the value is the activity score if any."""
    return codes.opened(f"{CPIC}|{gene}-phenotype", f"{gene} phenotype", "1", Kind.answer)


def finding_code(gene: str, medicine: str) -> Code:
    """What a gene means for a medicine, in words."""
    name = f"{gene} and {medicine}"
    return codes.opened(f"{CPIC}|{gene}-{medicine.replace(' ', '-')}", name, "1", Kind.report)


def score_code(score: str, part: str, unit: str) -> Code:
    """A polygenic score as a sum, or placed among people of like ancestry."""
    name = f"polygenic score {score}{', ' if part else ''}{part}"
    return codes.opened(f"{CATALOG}|{score}{'-' if part else ''}{part}", name, unit)


def of_calls(calls: Iterable[Call], when: When) -> Iterator[Placing]:
    """Facts of what was called, each with its lines in the file."""
    called = [c for c in calls if c.pairs]
    for call in called:
        place = _lines(call)
        yield _worded(diplotype_code(call.gene), call.said(), when), place
        meant = call.phenotype
        if meant is not None:
            yield _meaning(meant, when), place
        for code, count in counts(call):
            yield Observation(when.at, code, count, when.source, when.known), place
    known = {c.gene: p for c in called if (p := c.phenotype) is not None}
    places = {c.gene: _lines(c) for c in called}
    for fact, gene in _findings(known, when):
        yield fact, places[gene]


def counts(call: Call) -> Iterator[tuple[Code, float]]:
    """The allele counts that models ask for, where they can be known."""
    for gene, allele, code in COUNTS:
        if gene == call.gene and (count := call.carries(allele)) is not None:
            yield code, float(count)
    if call.gene == EXPRESSER[0] and (meant := call.phenotype) is not None:
        yield from _expresser(call.pairs[0].name, meant)


def _expresser(diplotype: str, meant: Phenotype) -> Iterator[tuple[Code, float]]:
    carrier = EXPRESSER[1] in diplotype.split("/")
    if carrier or meant.means == "Poor Metabolizer":
        yield codes.cyp3a5_expresser, float(carrier)


def of_outside(calls: Iterable[Outside], when: When) -> Iterator[Placing]:
    """Facts of what other software called."""
    known: dict[str, Phenotype] = {}
    for call in calls:
        place = f"outside calls, line {call.line}"
        if call.diplotype:
            yield _worded(diplotype_code(call.gene), call.diplotype, when), place
        if call.phenotype:
            known[call.gene] = Phenotype(call.gene, call.phenotype, call.activity)
            yield _meaning(known[call.gene], when), place
        for code, count in _outside_counts(call):
            yield Observation(when.at, code, count, when.source, when.known), place
    for fact, gene in _findings(known, when):
        yield fact, f"outside calls, {gene}"


def _outside_counts(call: Outside) -> Iterator[tuple[Code, float]]:
    names = call.diplotype.split("/")
    try:
        meant = phenotype(call.gene, call.diplotype)
    except (UnknownGene, UnknownAllele):
        return
    for gene, allele, code in COUNTS:
        if gene == call.gene:
            yield code, float(names.count(allele))
    if call.gene == EXPRESSER[0]:
        yield from _expresser(call.diplotype, meant)


def of_score(found: Sum, placed: Placed | None, when: When) -> Iterator[Placing]:
    """A polygenic score: its sum, and where it lies among people of like ancestry."""
    score = found.score
    said = f"{score.trait or score.name}: {found.read} of {score.total} variants read"
    said += f", {found.expected} by frequency" if found.expected else ""
    said += f"; {score.citation}" if score.citation else ""
    sums = score_code(score.name, "", "1")
    yield Observation(when.at, sums, found.value, when.source, when.known, says=said), ""
    if placed is not None:
        among = f"among {placed.among} people, by {placed.by}"
        z, per_cent = score_code(score.name, "z", "1"), score_code(score.name, "percentile", "%")
        yield Observation(when.at, z, placed.z, when.source, when.known, says=among), ""
        value = placed.percentile
        yield Observation(when.at, per_cent, value, when.source, when.known, says=among), ""


def _findings(known: dict[str, Phenotype], when: When) -> Iterator[tuple[Observation, str]]:
    for found in findings(known):
        said = f"{found.phenotype}: {found.means} ({found.reference})"
        yield _worded(finding_code(found.gene, found.medicine), said, when), found.gene


def _worded(code: Code, said: str, when: When) -> Observation:
    return Observation(when.at, code, 1.0, when.source, when.known, says=said)


def _meaning(meant: Phenotype, when: When) -> Observation:
    value = 1.0 if meant.activity is None else meant.activity
    code = phenotype_code(meant.gene)
    return Observation(when.at, code, value, when.source, when.known, says=meant.means)


def _lines(call: Call) -> str:
    first, last = call.lines[0], call.lines[-1]
    return f"line {first}" if first == last else f"lines {first}-{last}"
