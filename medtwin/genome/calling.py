"""Which star alleles somebody has: every pair of named alleles that explains what was seen.

A place that was not read is never taken for the reference in silence: it is listed, with the
alleles that could not be looked for. A variant no named allele explains is listed too, and then
no phenotype is given.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from medtwin.genome.definitions import Allele, Position, alleles, positions
from medtwin.genome.explaining import Pair, by_name, by_variant, chromosomes
from medtwin.genome.observing import Seen
from medtwin.genome.phenotypes import BY_ACTIVITY, RULES, Phenotype, of

# Genes where several variants on one chromosome each keep their own name (CPIC for DPYD).
BY_VARIANT = ("DPYD",)
# Alleles that a test should look for at the least (Association for Molecular Pathology, tier 1;
# for UGT1A1, CYP2B6 and SLCO1B1 those that CPIC's guidelines turn on).
AT_LEAST = {
    "CYP2C19": ("*2", "*3", "*17"),
    "CYP2C9": ("*2", "*3", "*5", "*6", "*8", "*11"),
    "CYP3A5": ("*3", "*6", "*7"),
    "CYP3A4": ("*22",),
    "TPMT": ("*2", "*3A", "*3B", "*3C"),
    "NUDT15": ("*3",),
    "SLCO1B1": ("*5", "*15"),
    "CYP2B6": ("*6", "*18"),
    "UGT1A1": ("*6", "*28", "*37"),
    "DPYD": ("c.1905+1G>A (*2A)", "c.1679T>G (*13)", "c.2846A>T", "c.1129-5923C>G"),
}


@dataclass(frozen=True)
class Call:
    """What one person has of one gene.

    `pairs` begins with the likeliest; the rest explain the same letters on other chromosomes.
    `missing` places were not read, so `unseen` alleles could not be looked for, and `alike`
    could not be told from those named. `undocumented` are variants at known places that no
    named allele has; `hidden` are unseen alleles that share a variant with what was seen.
    """

    gene: str
    pairs: tuple[Pair, ...]
    phased: bool
    missing: tuple[Position, ...] = ()
    unseen: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    undocumented: tuple[str, ...] = ()
    lines: tuple[int, ...] = ()

    @property
    def diplotype(self) -> str:
        """The likeliest pair; empty where nothing was read."""
        return self.pairs[0].name if self.pairs else ""

    @property
    def phenotype(self) -> Phenotype | None:
        """What it means; None where alleles that matter were not looked for, or are not named."""
        if not self.pairs or self.doubt:
            return None
        return of(self.pairs[0].one, self.pairs[0].other)

    @property
    def doubt(self) -> str:
        """Why no phenotype is given; empty where one is."""
        if not self.pairs:
            return "none of its places was read"
        if needed := self.unasked:
            return f"{', '.join(needed)} could not be looked for: {_places(self.missing)} not read"
        if self.undocumented:
            return f"{', '.join(self.undocumented)} belongs to no named allele"
        if self.pairs[0].left_over:
            return f"no two named alleles explain {', '.join(self.pairs[0].left_over)}"
        if self.hidden:
            return f"{', '.join(self.hidden)} may hide in what was seen: not all of it was read"
        if self.gene not in (*RULES, *BY_ACTIVITY):
            return f"CPIC gives {self.gene} no phenotypes"
        if len({of(p.one, p.other).means for p in self.likeliest}) > 1:
            return f"as likely are {' and '.join(p.name for p in self.likeliest)}; phase not told"
        return ""

    @property
    def unasked(self) -> tuple[str, ...]:
        """The alleles a test must look for at the least that could not be looked for."""
        return tuple(a for a in AT_LEAST.get(self.gene, ()) if a in self.unseen)

    @property
    def likeliest(self) -> tuple[Pair, ...]:
        """The first pair and those that explain as much with as many reference alleles."""
        return tuple(p for p in self.pairs if p.weight == self.pairs[0].weight)

    def carries(self, name: str) -> int | None:
        """How many copies of an allele; None where that cannot be known."""
        if not self.pairs or {name} & {*self.unseen, *self.alike} or self.undocumented:
            return None
        if self.pairs[0].left_over or self.hidden:
            return None
        counts = {(p.one.name == name) + (p.other.name == name) for p in self.likeliest}
        return counts.pop() if len(counts) == 1 else None

    def said(self) -> str:
        """The call in words, with every doubt."""
        told = [self.diplotype or "not called"]
        told[0] = f"as far as it was read {told[0]}" if self.pairs and self.unasked else told[0]
        others = [f"{p.name} ({_meant(p)})" for p in self.pairs[1:4]]
        told += [f"phase not told, also fits {', '.join(others)}"] if others else []
        told += [f"not read: {_places(self.missing)}"] if self.missing else []
        told += [f"not looked for: {', '.join(self.unseen)}"] if self.unseen else []
        told += [f"not told from it: {', '.join(self.alike)}"] if self.alike else []
        told += [f"in no named allele: {', '.join(self.undocumented)}"] if self.undocumented else []
        return "; ".join(told)


def _meant(pair: Pair) -> str:
    known = pair.one.gene in (*RULES, *BY_ACTIVITY)
    return of(pair.one, pair.other).means if known else "no phenotype"


def _places(missing: Iterable[Position]) -> str:
    names = [p.rsid or f"{p.chromosome}:{p.grch38}" for p in missing]
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def call(gene: str, seen: Mapping[int, Seen]) -> Call:
    """Call one gene from what was seen at its places (GRCh38). Raises `UnknownGene`."""
    places = positions(gene)
    missing = tuple(p for p in places if not _read(seen, p))
    lines = tuple(sorted({n for s in seen.values() for n in s.lines}))
    if len(missing) == len(places):
        every = tuple(a.name for a in alleles(gene)[1:])
        return Call(gene, (), phased=False, missing=missing, unseen=every, lines=lines)
    known, unseen, alike = narrowed(alleles(gene), {p.grch38 for p in missing})
    body = chromosomes(seen)
    odd = frozenset(t for t in body.first | body.second if "?" in t)
    body = replace(body, first=body.first - odd, second=body.second - odd)
    explain = by_variant if gene in BY_VARIANT else by_name
    pairs = explain(known, body)
    undefined = tuple(a.name for a in alleles(gene) if not a.defined)
    hidden = could_hide(gene, unseen, body.first | body.second)
    return Call(
        gene,
        pairs,
        body.told_apart,
        missing,
        unseen + undefined,
        alike,
        hidden,
        tuple(sorted(odd)),
        lines,
    )


def could_hide(gene: str, unseen: tuple[str, ...], there: frozenset[str]) -> tuple[str, ...]:
    """Unseen alleles that have a variant which was seen and which the reference has not."""
    plain = alleles(gene)[0].needs
    known = [a for a in alleles(gene) if a.name in unseen]
    return tuple(a.name for a in known if (a.needs | a.may) & there - plain)


def _read(seen: Mapping[int, Seen], place: Position) -> bool:
    return place.grch38 in seen and seen[place.grch38].read


def narrowed(
    known: Iterable[Allele], missing: set[int]
) -> tuple[list[Allele], tuple[str, ...], tuple[str, ...]]:
    """The alleles by what can be read of them; those that cannot be seen; those alike others."""
    kept: dict[frozenset[str], Allele] = {}
    unseen, alike = [], []
    whole = [a for a in known if a.defined]
    for first, allele in enumerate(whole):
        needs = frozenset(t for t in allele.needs if _place(t) not in missing)
        if not needs and allele.needs and first:
            unseen.append(allele.name)
        elif needs in kept:
            ahead = kept[needs].needs == needs or needs != allele.needs or not needs
            alike.append(allele.name if ahead else kept[needs].name)
            if not ahead:
                kept[needs] = allele
        else:
            kept[needs] = allele
    readable = [replace(a, needs=needs) for needs, a in kept.items()]
    return readable, tuple(unseen), tuple(alike)


def _place(token: str) -> int:
    return int("".join(c for c in token.partition(">")[0] if c.isdigit()))
