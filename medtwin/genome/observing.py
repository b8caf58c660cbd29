"""What was seen at the places that star alleles ask about, sample by sample."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from medtwin.genome.builds import Build
from medtwin.genome.definitions import Position, genes, positions
from medtwin.genome.variants import Genotype, Site, Told

REF = "="


@dataclass(frozen=True, slots=True)
class Seen:
    """Two alleles at one known place: `=` for the reference, a known variant, or other letters.

    An allele that was not read is None. `lines` say where in the file it stands.
    """

    alleles: tuple[str | None, str | None]
    phased: bool
    phase_set: str
    lines: tuple[int, ...]

    @property
    def read(self) -> bool:
        """Whether both alleles were."""
        return None not in self.alleles


@dataclass
class Observed:
    """What one sample shows, by gene and place (GRCh38), and what could not be used."""

    sample: str
    seen: dict[str, dict[int, Seen]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Places:
    """Every known place along one build, asked about by region."""

    def __init__(self, build: Build) -> None:
        self.build = build
        self.regions: dict[str, list[tuple[int, int, tuple[Position, ...]]]] = {}
        for gene in genes():
            held = positions(gene)
            low = min(p.at(build) for p in held) - 1
            high = max(p.at(build) + p.length for p in held) + 10
            self.regions.setdefault(held[0].chromosome, []).append((low, high, held))

    def wanted(self, chromosome: str, position: int, end: int) -> bool:
        """Whether a line speaks of a region with known places."""
        for low, high, _ in self.regions.get(chromosome, ()):
            if position <= high and end >= low:
                return True
        return False

    def at(self, site: Site) -> Iterator[Position]:
        """The known places a line speaks of."""
        for low, high, held in self.regions.get(site.chromosome, ()):
            if site.position <= high and site.end >= low:
                for place in held:
                    if speaks_of(site, place, self.build):
                        yield place


def speaks_of(site: Site, place: Position, build: Build) -> bool:
    """Whether a line covers a place, or tells one of its variants in other letters."""
    at = place.at(build)
    if site.position <= at <= site.end:
        return True
    return any(_also(site, place, build, alt) for alt in site.alts)


def trimmed(position: int, reference: str, alt: str) -> tuple[int, str, str]:
    """A variant in its shortest form: shared letters taken off, first behind, then before.

    >>> trimmed(233760233, "CAT", "CATAT")
    (233760233, 'C', 'CAT')
    """
    while min(len(reference), len(alt)) > 1 and reference[-1] == alt[-1]:
        reference, alt = reference[:-1], alt[:-1]
    while min(len(reference), len(alt)) > 1 and reference[0] == alt[0]:
        position, reference, alt = position + 1, reference[1:], alt[1:]
    return position, reference, alt


def take(site: Site, places: Places, people: Mapping[int, Observed], told: Told) -> None:
    """Note what one line says about each of these people, by their place in the header."""
    found = list(places.at(site))
    if not found:
        return
    if not site.passed:
        told.filtered += 1
        return
    for who, genotype in zip(people.values(), site.genotypes(people), strict=True):
        for place in found:
            _note(site, place, places.build, genotype, who)


def _note(site: Site, place: Position, build: Build, genotype: Genotype, who: Observed) -> None:
    meant = [None if a is None else meaning(site, place, build, a) for a in genotype.alleles]
    if any(m == "" for m in meant):
        who.notes.append(
            f"line {site.line}: the reference letter of {place.gene} {place.rsid} is not "
            f"{build}'s; the place is left out"
        )
        return
    if len(meant) != 2:
        meant = [None, None]  # one copy or three: these genes lie on autosomes
    one, other = meant
    new = Seen((one, other), genotype.phased, genotype.phase_set, (site.line,))
    held = who.seen.setdefault(place.gene, {})
    old = held.get(place.grch38)
    held[place.grch38] = new if old is None else together(old, new)


def meaning(site: Site, place: Position, build: Build, allele: str) -> str:
    """A called allele in the words of the table: `=`, a variant's token, or `?` and letters.

    Empty where the line's reference letter is neither the place's nor one of its variants'.
    """
    if not allele.isalpha():
        return f"?{allele}"
    if found := _also(site, place, build, allele):
        return found
    if len(site.reference) == len(allele):
        return _letter(site, place, build, allele)
    position, reference, alt = trimmed(site.position, site.reference, allele)
    touched = position <= place.at(build) < position + len(reference)
    return f"?{reference}>{alt}" if touched else REF


def _letter(site: Site, place: Position, build: Build, letters: str) -> str:
    offset = place.at(build) - site.position
    if offset < 0:  # a variant of this place, written farther on
        return REF
    inside = offset >= len(letters)  # a block, which tells its first letter only
    letter = place.letter_in(build) if inside else letters[offset]
    singles = {
        alt: place.token(ref, alt) for ref, alt in place.variants if len(ref) == len(alt) == 1
    }
    if letter in (place.letter, "N"):
        return REF
    if letter in singles:
        return singles[letter]
    return "" if letters == site.reference else f"?{letter}"


def _also(site: Site, place: Position, build: Build, allele: str) -> str:
    shift = 0 if build is Build.grch38 else place.shift
    position, reference, alt = trimmed(site.position, site.reference, allele)
    written = f"{position - shift}{reference}>{alt}"
    for known in place.variants:
        at, short, other = trimmed(place.grch38, *known)
        if written == f"{at}{short}>{other}":
            return place.token(*known)
    return dict(place.also).get(written, "")


def together(old: Seen, new: Seen) -> Seen:
    """Two lines about one place (a block and a variant, alleles on lines of their own) as one."""
    merged: list[str | None] = list(old.alleles)
    extra: list[str] = []
    for index, allele in enumerate(new.alleles):
        if merged[index] in (None, REF):
            merged[index] = allele if allele is not None else merged[index]
        elif allele not in (None, REF, merged[index]):
            extra.append(allele)
    for allele in extra:
        free = [i for i, m in enumerate(merged) if m in (None, REF)]
        if not free or (old.phased and new.phased):
            merged = [None, None]  # the lines contradict each other
            break
        merged[free[0]] = allele
    one, other = merged
    phased = (old.phased or _homozygous(old)) and (new.phased or _homozygous(new))
    return Seen((one, other), phased, new.phase_set or old.phase_set, old.lines + new.lines)


def _homozygous(seen: Seen) -> bool:
    return seen.alleles[0] == seen.alleles[1]
