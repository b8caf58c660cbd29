"""Which two named alleles explain the variants on somebody's two chromosomes."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement

from medtwin.genome.definitions import Allele, alleles
from medtwin.genome.observing import REF, Seen


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
    one, other = [*every, reference, reference][:2]
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
