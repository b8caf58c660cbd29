"""Polygenic scores: a scoring file and somebody's variants become a sum, with what was lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Float

from medtwin.genome.scoring import Effect, Scoring, Weight
from medtwin.genome.variants import REFERENCE_ALTS, Site

COMPLEMENT = str.maketrans("ACGT", "TGCA")
AMBIGUOUS = ({"A", "T"}, {"C", "G"})
ENOUGH = 0.75  # the least share matched that the PGS Catalog's own calculator goes on with


class Strands(StrEnum):
    """Which strand the letters of a scoring file are read on.

    `resolved`: turned over where only the other strand fits; A/T and C/G, which fit both, are
    left out. `as_written`: the forward strand is trusted, nothing is turned over.
    """

    resolved = "turned over where the letters tell, else left out"
    as_written = "taken as they are written"


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
