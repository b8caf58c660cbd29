"""Which star alleles somebody has: every pair of named alleles that explains what was seen.

A place that was not read is never taken for the reference in silence: it is listed, with the
alleles that could not be looked for. A variant no named allele explains is listed too, and then
no phenotype is given.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement

from medtwin.genome.definitions import Allele, Position, alleles, positions
from medtwin.genome.observing import REF, Seen
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


@dataclass(frozen=True, slots=True)
class Pair:
    """Two named alleles that explain what was seen, and what is left over if they do not."""

    one: Allele
    other: Allele
    left_over: tuple[str, ...] = ()
    named: str = ""

    @property
    def weight(self) -> tuple[int, int]:
        """How many are the reference, and for how many variants the names stand."""
        first = alleles(self.one.gene)[0].name
        plain = (self.one.name == first) + (self.other.name == first)
        return plain, len(self.one.needs) + len(self.other.needs)

    @property
    def name(self) -> str:
        """As it is written: the lower number first."""
        return self.named or f"{self.one.name}/{self.other.name}"


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
        needed = [a for a in AT_LEAST.get(self.gene, ()) if a in self.unseen]
        if needed:
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


@dataclass(frozen=True, slots=True)
class Chromosomes:
    """The variants on each of the two chromosomes.

    Where they are not `told_apart`, the first has every variant and the second those that both
    have.
    """

    first: frozenset[str]
    second: frozenset[str]
    told_apart: bool

    @property
    def count(self) -> Counter[str]:
        """How many copies of each variant."""
        return Counter([*self.first, *self.second])


def chromosomes(seen: Mapping[int, Seen]) -> Chromosomes:
    """The variants on each chromosome, as far as the phase is told."""
    read = {at: s for at, s in seen.items() if s.read}
    mixed = [s for s in read.values() if s.alleles[0] != s.alleles[1]]
    told_apart = len(mixed) < 2 or (
        all(s.phased for s in mixed) and len({s.phase_set for s in mixed}) == 1
    )
    strands: list[set[str]] = [set(), set()]
    for at, one in read.items():
        for strand, allele in zip(strands, one.alleles, strict=True):
            if allele and allele != REF:
                strand.add(f"{at}{allele}" if allele.startswith("?") else allele)
    first, second = map(frozenset, strands)
    if told_apart:
        return Chromosomes(first, second, told_apart)
    return Chromosomes(first | second, first & second, told_apart)


def by_name(known: list[Allele], body: Chromosomes) -> tuple[Pair, ...]:
    """Every pair of named alleles that explains the variants, likeliest first.

    As PharmCAT ranks them: a pair with the reference allele is likelier, then the one whose
    names stand for more variants. Without any, the pair that leaves least over.
    """
    fitting = [a for a in known if a.needs <= body.first | body.second]
    order = {a.name: i for i, a in enumerate(known)}
    pairs = list(combinations_with_replacement(fitting, 2))
    tried = [(p, over) for p in pairs if (over := left_over(*p, body)) is not None]
    least = min((len(over) for _, over in tried), default=0)

    def rank(entry: tuple[tuple[Allele, Allele], tuple[str, ...]]) -> tuple[int, int, int]:
        one, other = entry[0]
        plain = (order[one.name] == 0) + (order[other.name] == 0)
        return -plain, -len(one.needs) - len(other.needs), order[one.name] + order[other.name]

    best = sorted((t for t in tried if len(t[1]) == least), key=rank)
    return tuple(Pair(*pair, over) for pair, over in best[: 1 if least else None])


def left_over(one: Allele, other: Allele, body: Chromosomes) -> tuple[str, ...] | None:
    """The variants a pair leaves unexplained; None where it has some that were not seen."""
    if body.told_apart:
        ways = [_over(one, other, body), _over(other, one, body)]
        found = [w for w in ways if w is not None]
        return min(found, key=len) if found else None
    needed = Counter([*one.needs, *other.needs])
    if needed - body.count:
        return None
    free = Counter([*(one.may - one.needs), *(other.may - other.needs)])
    return tuple(sorted((body.count - needed - free).elements()))


def _over(one: Allele, other: Allele, body: Chromosomes) -> tuple[str, ...] | None:
    if not (one.needs <= body.first and other.needs <= body.second):
        return None
    over = [*(body.first - one.needs - one.may), *(body.second - other.needs - other.may)]
    return tuple(sorted(over))


def by_variant(known: list[Allele], body: Chromosomes) -> tuple[Pair, ...]:
    """One pair from variants that each have a name: on each chromosome the worst speaks.

    Where the chromosomes are not told apart, the two worst of all are taken to lie on different
    ones, as CPIC does for DPYD (Amstutz 2018, doi:10.1002/cpt.911).
    """
    reference = known[0]
    first, second = _carried(known, body.first), _carried(known, body.second)
    explained = frozenset(t for a in (*first, *second) for t in a.needs)
    over = tuple(sorted((body.first | body.second) - explained))
    if body.told_apart:
        both = sorted(
            [first or [reference], second or [reference]], key=lambda s: known.index(s[0])
        )
        one, other = (min(s, key=_activity) for s in both)
        return (Pair(one, other, over, "/".join(_sum(s) for s in both)),)
    every = sorted([*first, *second], key=_activity)
    one, other = every[:2] if len(every) > 1 else (reference, every[0])
    named = "" if len(every) < 3 else f"{_sum(every)} (on which chromosome is not told)"
    one, other = sorted((one, other), key=known.index)
    return (Pair(one, other, over, named),)


def _carried(known: list[Allele], strand: frozenset[str]) -> list[Allele]:
    found = [a for a in known[1:] if a.needs <= strand]
    return [a for a in found if not any(a.needs < b.needs for b in found)]


def _activity(allele: Allele) -> float:
    return 9.0 if allele.activity is None else allele.activity


def _sum(named: list[Allele]) -> str:
    return " + ".join(a.name for a in named)
