"""PGS Catalog scoring files: which allele of which variant weighs how much.

Format 2.0, as authors gave them or harmonised to a build (Lambert 2021,
doi:10.1038/s41588-021-00783-5; pgscatalog.org/downloads).
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import log
from typing import IO

from medtwin.genome.builds import Build, named, plain
from medtwin.genome.variants import lines


class BadScore(ValueError):
    """A scoring file that cannot be used; says why and what to do next."""


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
