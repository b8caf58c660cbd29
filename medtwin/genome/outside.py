"""Diplotypes that other software called: one line each, gene and diplotype, tab separated.

So genes come in that a VCF of small variants does not tell (CYP2D6, HLA), in the layout that
PharmCAT takes for outside calls: gene, diplotype, and if CPIC's tables lack it, the phenotype.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from medtwin.genome.definitions import UnknownGene
from medtwin.genome.phenotypes import UnknownAllele, phenotype


@dataclass(frozen=True, slots=True)
class Outside:
    """One gene as somebody else called it; `refused` says why it cannot be taken."""

    line: int
    gene: str
    diplotype: str
    phenotype: str = ""
    activity: float | None = None
    refused: str = ""


def outside(text: str) -> Iterator[Outside]:
    """Every line's gene; lines beginning with # and empty ones are passed over."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            yield _line(number, line.rstrip("\r\n").split("\t"))


def _line(number: int, columns: list[str]) -> Outside:
    gene, diplotype, told = [*(c.strip() for c in columns), "", "", ""][:3]
    if not gene or not (diplotype or told):
        refused = "it needs a gene, a tab, and a diplotype such as *1/*4"
        return Outside(number, gene, diplotype, refused=refused)
    if told:
        return Outside(number, gene, diplotype, told)
    try:
        found = phenotype(gene, diplotype)
    except UnknownGene:
        return Outside(number, gene, diplotype)
    except UnknownAllele as why:
        return Outside(number, gene, diplotype, refused=str(why))
    return Outside(number, gene, diplotype, found.means, found.activity)
