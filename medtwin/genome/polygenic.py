"""Polygenic scores: a PGS Catalog file and somebody's variants become a sum, with what was lost.

Scoring files of the PGS Catalog, format 2.0, as authors gave them or harmonised to a build
(Lambert 2021, doi:10.1038/s41588-021-00783-5; pgscatalog.org/downloads).
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import log
from typing import IO

import numpy as np
from jaxtyping import Float

from medtwin.genome.builds import Build, named, plain
from medtwin.genome.variants import REFERENCE_ALTS, Site, lines

COMPLEMENT = str.maketrans("ACGT", "TGCA")
AMBIGUOUS = ({"A", "T"}, {"C", "G"})
ENOUGH = 0.75  # the least share matched that the PGS Catalog's own calculator goes on with


class BadScore(ValueError):
    """A scoring file that cannot be used; says why and what to do next."""


class Strands(StrEnum):
    """Which strand the letters of a scoring file are read on.

    `resolved`: turned over where only the other strand fits; A/T and C/G, which fit both, are
    left out. `as_written`: the forward strand is trusted, nothing is turned over.
    """

    resolved = "turned over where the letters tell, else left out"
    as_written = "taken as they are written"


class Effect(StrEnum):
    """How copies of the effect allele count."""

    additive = "additive"
    dominant = "dominant"
    recessive = "recessive"


@dataclass(frozen=True, slots=True)
class Weight:
    """One line of a scoring file: `frequency` of the effect allele where it is told."""

    row: int
    chromosome: str
    position: int
    allele: str
    other: str
    weight: float
    effect: Effect = Effect.additive
    frequency: float | None = None


@dataclass
class Scoring:
    """A scoring file: who made it, for which trait, and its weights by place.

    `left_out` counts by reason the lines that cannot be used.
    """

    name: str
    trait: str
    citation: str
    build: Build
    weights: dict[tuple[str, int], list[Weight]] = field(default_factory=dict)
    total: int = 0
    left_out: dict[str, int] = field(default_factory=dict)

    def leave(self, because: str) -> None:
        """One more line that cannot be used."""
        self.left_out[because] = self.left_out.get(because, 0) + 1


def scoring(file: IO[bytes], build: Build) -> Scoring:
    """A scoring file, plain or packed, along this build.

    Raises `BadScore` if its positions are of another build or it has no weights.
    """
    told: dict[str, str] = {}
    text = (line.decode("utf-8", "replace") for line in lines(file))
    for line in text:
        if not line.startswith("#"):
            return _read(csv.DictReader([line], delimiter="\t").fieldnames, text, told, build)
        key, _, value = line.lstrip("#").strip().partition("=")
        told[key] = value
    raise BadScore("it has no line of column names; send the scoring file as the Catalog gives it")


def _read(
    names: Sequence[str] | None, text: Iterator[str], told: dict[str, str], build: Build
) -> Scoring:
    names = [n.strip() for n in names or ()]
    place = _columns(names, told, build)
    score = Scoring(told.get("pgs_id", ""), told.get("trait_reported", ""), "", build)
    score.citation = told.get("citation", "")
    seen: set[tuple[str, int, str, str]] = set()
    for number, row in enumerate(csv.DictReader(text, names, delimiter="\t")):
        score.name = score.name or row.get("accession") or ""
        score.total += 1
        weight = _weight(number, row, place, score)
        if weight is None:
            continue
        key = (weight.chromosome, weight.position, weight.allele, weight.other)
        if key in seen:
            score.leave("written twice")
            continue
        seen.add(key)
        score.weights.setdefault(key[:2], []).append(weight)
    if not score.weights:
        raise BadScore(f"none of its {score.total} lines can be used ({score.left_out})")
    return score


def _columns(names: list[str], told: dict[str, str], build: Build) -> tuple[str, str]:
    if "effect_allele" not in names or not {"effect_weight", "OR"} & set(names):
        raise BadScore("it has no effect_allele with an effect_weight; send a PGS Catalog file")
    if "hm_pos" in names and named(told.get("HmPOS_build", "")) is build:
        return "hm_chr", "hm_pos"
    if "chr_position" not in names:
        raise BadScore(f"it tells no positions along {build}; send the file harmonised to {build}")
    written = told.get("genome_build", "")
    if named(written) not in (None, build):
        raise BadScore(f"its positions are {written}'s; send the file harmonised to {build}")
    return "chr_name", "chr_position"


def _weight(
    number: int, row: dict[str, str], place: tuple[str, str], score: Scoring
) -> Weight | None:
    chromosome, position = row.get(place[0]) or "", row.get(place[1]) or ""
    allele = (row.get("effect_allele") or "").upper()
    other = (row.get("other_allele") or row.get("hm_inferOtherAllele") or "").upper()
    if any(_yes(row.get(n)) for n in ("is_haplotype", "is_diplotype", "is_interaction")):
        return score.leave("haplotypes and interactions are not summed")
    if row.get("dosage_0_weight") and not row.get("effect_weight"):
        return score.leave("a weight for each dosage is not summed")
    if not position.isdigit() or not chromosome:
        return score.leave("no position")
    if not allele.isalpha():
        return score.leave("an allele that is no letters")
    other = other if other.isalpha() else ""
    try:
        weight = float(row["effect_weight"]) if row.get("effect_weight") else log(float(row["OR"]))
        frequency = (
            float(row["allelefrequency_effect"]) if row.get("allelefrequency_effect") else None
        )
    except (ValueError, KeyError):
        return score.leave("no number for a weight")
    at = plain(chromosome), int(position)
    return Weight(number, *at, allele, other, weight, _effect(row), frequency)


def _effect(row: dict[str, str]) -> Effect:
    told = row.get("effect_type") or ""
    if _yes(row.get("is_dominant")) or told == "dominant":
        return Effect.dominant
    recessive = _yes(row.get("is_recessive")) or told == "recessive"
    return Effect.recessive if recessive else Effect.additive


def _yes(word: str | None) -> bool:
    return (word or "").strip().lower() in ("true", "1", "yes")


@dataclass(frozen=True)
class Sum:
    """One person's polygenic score, and how much of it was there to be added.

    `matched` of `total` weights met a variant of the file; `read` had both alleles in this
    person; `expected` stand for variants not read, by the allele's frequency.
    """

    sample: str
    score: Scoring
    value: float
    matched: int
    read: int
    expected: int
    flipped: int
    enough: float = ENOUGH

    @property
    def rate(self) -> float:
        """The share of the score's variants that were read in this person or could be expected."""
        return (self.read + self.expected) / self.score.total

    @property
    def refused(self) -> str:
        """Why this sum should not be used; empty where it may."""
        if self.rate >= self.enough:
            return ""
        return (
            f"only {self.rate:.1%} of the {self.score.total} variants of {self.score.name} are "
            f"there, under the {self.enough:.0%} asked for"
        )


class Adding:
    """Sums of one score over all samples of a file, fed line by line."""

    def __init__(
        self, score: Scoring, samples: Sequence[str], strands: Strands = Strands.resolved
    ) -> None:
        self.score, self.samples, self.strands = score, samples, strands
        many = len(samples)
        self.value = np.zeros(many)
        self.read = np.zeros(many, dtype=np.int64)
        self.expected = np.zeros(many, dtype=np.int64)
        self.met: set[int] = set()
        self.flipped = 0
        self.ambiguous = 0
        self.cells: dict[tuple[bytes, int], float] = {}

    def wanted(self, chromosome: str, position: int, _: int) -> bool:
        """Whether a line begins at one of the score's places."""
        return (chromosome, position) in self.score.weights

    def take(self, site: Site) -> None:
        """Add what one line tells."""
        if not site.passed:
            return
        for weight in self.score.weights.get((site.chromosome, site.position), ()):
            if weight.row in self.met:
                continue
            index = self._index(site, weight)
            if index is not None:
                self.met.add(weight.row)
                self._add(site, weight, index)

    def _index(self, site: Site, weight: Weight) -> int | None:
        """Which allele of the line is the effect allele; -1 if none but the block's reference."""
        if _block(site):
            return self._in_block(site, weight)
        here = (site.reference, *(a for a in site.alts if a not in REFERENCE_ALTS))
        if {weight.allele, weight.other} in AMBIGUOUS and self.strands is Strands.resolved:
            self.ambiguous += 1
            return None
        if weight.allele in here and (not weight.other or weight.other in here):
            return here.index(weight.allele)
        allele, other = (a.translate(COMPLEMENT)[::-1] for a in (weight.allele, weight.other))
        resolved = self.strands is Strands.resolved
        if resolved and weight.other and allele in here and other in here:
            self.flipped += 1
            return here.index(allele)
        return None

    def _in_block(self, site: Site, weight: Weight) -> int | None:
        """Of a block only the first letter is told; which allele is the reference's farther on
        nobody says, so that the rest stays unread."""
        if not weight.other:
            return None
        if {weight.allele, weight.other} in AMBIGUOUS and self.strands is Strands.resolved:
            return None
        if site.reference in (weight.allele, weight.other):
            return 0 if weight.allele == site.reference else -1
        return None

    def _add(self, site: Site, weight: Weight, index: int) -> None:
        dosage = self.dosages(site, index)
        unread = np.isnan(dosage)
        counted = _counted(dosage, weight.effect)
        self.read += ~unread
        if weight.frequency is not None:
            self.expected += unread
            counted = np.where(unread, expected(weight), counted)
        self.value += weight.weight * np.nan_to_num(counted)

    def dosages(self, site: Site, index: int) -> Float[np.ndarray, " sample"]:
        """Copies of one allele in each sample; NaN where one was not read."""
        at = site.keys.index("GT") if "GT" in site.keys else -1
        columns = site.columns.rstrip(b"\r\n").split(b"\t")
        if at < 0 or len(columns) != len(self.samples):
            return np.full(len(self.samples), np.nan)
        cells = columns if len(site.keys) == 1 else [_field(c, at) for c in columns]
        known = self.cells
        for cell in set(cells):
            if (cell, index) not in known:
                known[cell, index] = _copies(cell, index)
        return np.array([known[c, index] for c in cells])

    def sums(self, enough: float = ENOUGH) -> list[Sum]:
        """Every sample's sum; variants that never came count by their frequency where told."""
        never = [w for ws in self.score.weights.values() for w in ws if w.row not in self.met]
        told = [w for w in never if w.frequency is not None]
        more = sum(w.weight * expected(w) for w in told)
        matched = len(self.met)
        return [
            Sum(
                sample,
                self.score,
                float(self.value[i] + more),
                matched,
                int(self.read[i]),
                int(self.expected[i]) + len(told),
                self.flipped,
                enough,
            )
            for i, sample in enumerate(self.samples)
        ]


def expected(weight: Weight) -> float:
    """The copies to expect of an allele by its frequency, under Hardy and Weinberg."""
    p = weight.frequency or 0.0
    by = {Effect.additive: 2 * p, Effect.dominant: p * (2 - p), Effect.recessive: p * p}
    return by[weight.effect]


def _counted(dosage: Float[np.ndarray, " sample"], effect: Effect) -> Float[np.ndarray, " sample"]:
    if effect is Effect.additive:
        return dosage
    least = 1 if effect is Effect.dominant else 2
    return np.where(np.isnan(dosage), np.nan, dosage >= least)


def _field(column: bytes, at: int) -> bytes:
    fields = column.split(b":")
    return fields[at] if at < len(fields) else b"."


def _copies(cell: bytes, index: int) -> float:
    alleles = cell.replace(b"|", b"/").split(b"/")
    if not all(a.isdigit() for a in alleles):
        return float("nan")
    return float(sum(int(a) == index for a in alleles))


def _block(site: Site) -> bool:
    return all(a in REFERENCE_ALTS for a in site.alts)
