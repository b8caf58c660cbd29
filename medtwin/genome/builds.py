"""Which genome a position counts along: GRCh37 or GRCh38, told by the file's own header."""

import re
from collections.abc import Iterable
from enum import StrEnum

MEGABASE = 1_000_000
NAMES = [*map(str, range(1, 23)), "X", "Y", "MT"]
# Lengths of the primary chromosomes (Genome Reference Consortium).
GRCH38 = [248956422, 242193529, 198295559, 190214555, 181538259, 170805979, 159345973, 145138636]
GRCH38 += [138394717, 133797422, 135086622, 133275309, 114364328, 107043718, 101991189, 90338345]
GRCH38 += [83257441, 80373285, 58617616, 64444167, 46709983, 50818468, 156040895, 57227415, 16569]
GRCH37 = [249250621, 243199373, 198022430, 191154276, 180915260, 171115067, 159138663, 146364022]
GRCH37 += [141213431, 135534747, 135006516, 133851895, 115169878, 107349540, 102531392, 90354753]
GRCH37 += [81195210, 78077248, 59128983, 63025520, 48129895, 51304566, 155270560, 59373566, 16569]


class Build(StrEnum):
    """A version of the reference genome."""

    grch37 = "GRCh37"
    grch38 = "GRCh38"


class UnknownBuild(ValueError):
    """Nobody can say along which genome the positions count."""


LENGTHS = {
    Build.grch37: dict(zip(NAMES, GRCH37, strict=True)),
    Build.grch38: dict(zip(NAMES, GRCH38, strict=True)),
}
WORDS = {
    Build.grch37: re.compile(r"grch37|hg19|b37|hs37|\bv37\b", re.IGNORECASE),
    Build.grch38: re.compile(r"grch38|hg38|b38|hs38", re.IGNORECASE),
}
OLDER = re.compile(r"ncbi36|hg18|b36\b", re.IGNORECASE)
NEXT = "put ##reference=GRCh38 (or GRCh37) into its header, or say the build in the mapping"


def plain(chromosome: str) -> str:
    """A chromosome without its prefix: chr1 and 1 are the same, and so are M and MT."""
    name = chromosome[3:] if chromosome[:3].lower() == "chr" else chromosome
    return "MT" if name in ("M", "MT") else name


def told(lines: Iterable[str]) -> Build:
    """The build a header tells by contig lengths, assemblies and reference.

    Raises `UnknownBuild` where it tells none, two, or one that is neither GRCh37 nor GRCh38.
    """
    found: set[Build] = set()
    for line in lines:
        found |= _by_length(line) or _by_words(line)
    if len(found) == 1:
        return found.pop()
    if found:
        raise UnknownBuild(f"its header speaks of both GRCh37 and GRCh38; {NEXT}")
    raise UnknownBuild(f"its header tells no genome build (contig, assembly, reference); {NEXT}")


def named(word: str) -> Build | None:
    """The build somebody means by hg19, GRCh38.p14, b37 and the like."""
    return next((build for build, pattern in WORDS.items() if pattern.search(word)), None)


def _by_length(line: str) -> set[Build]:
    contig = re.search(r"^##contig=<.*?ID=([^,>]+).*?length=(\d+)", line)
    if contig is None:
        return set()
    name, length = plain(contig[1]), int(contig[2])
    return {b for b, lengths in LENGTHS.items() if name != "MT" and lengths.get(name) == length}


def _by_words(line: str) -> set[Build]:
    if not re.match(r"##(contig|reference|assembly|genome|source_?reference)", line, re.IGNORECASE):
        return set()
    if OLDER.search(line):
        raise UnknownBuild(
            "its header says NCBI36 (hg18); lift it over to GRCh38 and send it again"
        )
    return {build for build, pattern in WORDS.items() if pattern.search(line)}
