"""What makes a star allele: the variants each needs, and what CPIC says each allele can do.

Functions and activity values are CPIC's (cpicpgx.org, CC0); positions those of PharmCAT
(PharmGKB/PharmCAT, allele definitions of CPIC and PharmVar); which variants make which allele
after PharmVar as tabulated by PyPGx 0.27, held against PharmCAT's own annotations.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from medtwin.genome.builds import Build


class Function(StrEnum):
    """What an allele's product can do, by the first letter rules are written in."""

    normal = "N"
    increased = "I"
    decreased = "D"
    none = "X"
    uncertain = "U"


class UnknownGene(ValueError):
    """A gene that is not called here; says why and what is accepted instead."""


@dataclass(frozen=True, slots=True)
class Allele:
    """One named allele: what it can do, and the variants that make it.

    `needs` must be there; `may` can be there or not without changing the name. Without
    `defined` it is known by name only (a structural allele, or one whose variants we do not
    hold), so it can be told in words but never found in a VCF.
    """

    gene: str
    name: str
    function: Function
    activity: float | None
    needs: frozenset[str]
    may: frozenset[str]
    defined: bool = True


@dataclass(frozen=True, slots=True)
class Position:
    """A place that is asked about: where it lies along both builds, and what is known there.

    `variants` are the known ones, each as the letters replaced and the letters instead; `also`
    are other ways to write the same deletion inside a repeat. `letter37` is GRCh37's own letter
    where it is not GRCh38's.
    """

    gene: str
    rsid: str
    chromosome: str
    grch38: int
    grch37: int
    variants: tuple[tuple[str, str], ...]
    letter37: str = ""
    also: tuple[tuple[str, str], ...] = ()

    def at(self, build: Build) -> int:
        """Where it lies."""
        return self.grch38 if build is Build.grch38 else self.grch37

    @property
    def shift(self) -> int:
        """What to take off a GRCh37 position here to have the GRCh38 one."""
        return self.grch37 - self.grch38

    @property
    def letter(self) -> str:
        """The first letter of GRCh38 here."""
        return self.variants[0][0][0]

    def letter_in(self, build: Build) -> str:
        """The first letter of this build here."""
        return self.letter37 if self.letter37 and build is Build.grch37 else self.letter

    @property
    def length(self) -> int:
        """How many letters of the reference it speaks of."""
        return max(len(reference) for reference, _ in self.variants)

    def token(self, reference: str, alt: str) -> str:
        """How a variant here is written in the table of alleles."""
        return f"{self.grch38}{reference}>{alt}"


UNCALLED = {
    "CYP2D6": "its alleles are deletions, copies and hybrids with CYP2D7, which a VCF of small "
    "variants does not tell; give an outside call (gene and diplotype, tab separated)",
    "NAT2": "the variants of its alleles in the nomenclature of 2024 are not in our table; give "
    "an outside call (gene and diplotype, tab separated)",
    "HLA-A": "HLA needs typing software; give an outside call",
    "HLA-B": "HLA needs typing software; give an outside call",
    "G6PD": "it lies on the X chromosome and is not called here; give an outside call",
    "CFTR": "it is not called here; give an outside call",
    "RYR1": "it is not called here; give an outside call",
    "CACNA1S": "it is not called here; give an outside call",
    "MT-RNR1": "it is mitochondrial and not called here; give an outside call",
}
FUNCTIONS = {
    "Normal function": Function.normal,
    "Increased function": Function.increased,
    "Decreased function": Function.decreased,
    "No function": Function.none,
    # Genes with one variant, in their own words.
    "Normal coumarin sensitivity": Function.normal,
    "Higher coumarin sensitivity": Function.decreased,
    "Favorable response allele": Function.normal,
    "Unfavorable response allele": Function.decreased,
}


def _rows(name: str) -> Iterator[dict[str, str]]:
    table = files("medtwin.genome").joinpath(name).read_text(encoding="utf-8")
    return csv.DictReader(table.splitlines())


@cache
def alleles(gene: str) -> tuple[Allele, ...]:
    """Every named allele of a gene, the reference first. Raises `UnknownGene`."""
    found = tuple(_allele(r) for r in _rows("alleles.csv") if r["gene"] == gene)
    if not found:
        because = UNCALLED.get(gene, f"it is not among {', '.join(genes())}")
        raise UnknownGene(f"{gene} is not known here: {because}")
    return found


@cache
def genes() -> tuple[str, ...]:
    """The genes that are called from a VCF."""
    return tuple(dict.fromkeys(r["gene"] for r in _rows("positions.csv")))


@cache
def positions(gene: str) -> tuple[Position, ...]:
    """Every place that the alleles of a gene ask about, in order along the chromosome."""
    held: dict[int, list[dict[str, str]]] = {}
    for row in _rows("positions.csv"):
        if row["gene"] == gene:
            held.setdefault(int(row["grch38"]), []).append(row)
    return tuple(_position(held[at]) for at in sorted(held))


def _position(rows: list[dict[str, str]]) -> Position:
    first = rows[0]
    variants = tuple((r["ref"], r["alt"]) for r in rows)
    also = tuple(
        (written, f"{r['grch38']}{r['ref']}>{r['alt']}")
        for r in rows
        for written in r["also"].split()
    )
    at = int(first["grch38"]), int(first["grch37"])
    return Position(
        first["gene"], first["rsid"], first["chrom"], *at, variants, first["ref37"], also
    )


def _allele(row: dict[str, str]) -> Allele:
    defined = row["needs"] not in ("undefined", "structural")
    return Allele(
        row["gene"],
        row["allele"],
        FUNCTIONS.get(row["function"], Function.uncertain),
        float(row["activity"]) if row["activity"] else None,
        frozenset(row["needs"].split()) if defined else frozenset(),
        frozenset(row["may"].split()),
        defined,
    )
