"""Variants as VCF tells them, line by line, in bounded memory: plain, gzip or bgzip."""

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from gzip import BadGzipFile, GzipFile
from io import BufferedReader, RawIOBase
from typing import IO

from medtwin.genome.builds import LENGTHS, Build, plain, told

LINE = 64 << 20  # the longest line: some millions of samples
HEADER = 64 << 20
FIXED = 9  # CHROM to FORMAT
# What bgzip ends every whole file with (SAM/BAM format specification, section 4.1.2).
BGZIP_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
REFERENCE_ALTS = ("<NON_REF>", "<*>", ".", "")


class BadVariants(ValueError):
    """The file is no VCF that can be used; says why and what to do next."""


class Cut(BadVariants):
    """The file ends before it is over."""


@dataclass(frozen=True)
class Header:
    """What stands above the variants: the build, the samples in order, the date if told."""

    build: Build
    samples: tuple[str, ...]
    date: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """One line: a place, what stands there in the reference and instead, and who has what.

    `end` is the last base it speaks of: a block of a gVCF is as long as it says. `columns` are
    the samples' own, unread.
    """

    line: int
    chromosome: str
    position: int
    reference: str
    alts: tuple[str, ...]
    passed: bool
    end: int
    keys: tuple[str, ...]
    columns: bytes

    def genotypes(self, indexes: Iterable[int]) -> Iterator["Genotype"]:
        """The alleles of these samples, by their place in the header."""
        columns = self.columns.rstrip(b"\r\n").split(b"\t")
        for index in indexes:
            column = columns[index] if index < len(columns) else b"."
            yield self._genotype(column.decode("ascii", "replace"))

    def _genotype(self, column: str) -> "Genotype":
        told = dict(zip(self.keys, column.split(":"), strict=False))
        called = told.get("GT", ".")
        alleles = tuple(self._allele(a) for a in called.replace("|", "/").split("/"))
        return Genotype(alleles, "|" in called, told.get("PS", ""))

    def _allele(self, index: str) -> str | None:
        if not index.isdigit():
            return None
        every = (self.reference, *self.alts)
        allele = every[int(index)] if int(index) < len(every) else None
        return None if allele in REFERENCE_ALTS else allele


@dataclass(frozen=True, slots=True)
class Genotype:
    """The alleles one person has at a site, as letters; None where they were not read."""

    alleles: tuple[str | None, ...]
    phased: bool = False
    phase_set: str = ""


@dataclass
class Told:
    """What was met on the way: counted, so that nothing is dropped in silence."""

    lines: int = 0
    structural: int = 0
    filtered: int = 0
    bad: list[str] = field(default_factory=list)

    def complain(self, line: int, why: str) -> None:
        """A line that cannot be used; the first hundred keep their reason."""
        if len(self.bad) < 100:
            self.bad.append(f"line {line}: {why}")


class Watched(RawIOBase):
    """A file that hands on what is read and remembers how it ended."""

    def __init__(self, file: IO[bytes], keep: Callable[[bytes], None]) -> None:
        self.file, self.keep, self.tail = file, keep, b""

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The next bytes, as they came."""
        got = self.file.read(len(buffer))
        buffer[: len(got)] = got
        if got:
            self.tail = (self.tail + got)[-len(BGZIP_END) :]
            self.keep(got)
        return len(got)


def lines(file: IO[bytes], keep: Callable[[bytes], None] = lambda _: None) -> Iterator[bytes]:
    """The text's lines, opened as they come. Raises `Cut` where the file breaks off."""
    raw = Watched(file, keep)
    buffered = BufferedReader(raw, 1 << 16)
    head = buffered.peek(18)[:18]
    packed = head[:2] == b"\x1f\x8b"
    text = BufferedReader(GzipFile(fileobj=buffered), 1 << 18) if packed else buffered
    try:
        while line := text.readline(LINE):
            if len(line) >= LINE:
                raise BadVariants(f"a line is longer than {LINE} bytes; send it in parts")
            yield line
    except (EOFError, BadGzipFile, zlib.error) as why:
        raise Cut(f"the packed file breaks off ({why}); send it again, whole") from why
    if packed and head[12:14] == b"BC" and raw.tail != BGZIP_END:
        raise Cut("the bgzip file has no end mark: it was cut; send it again, whole")


def read_header(text: Iterator[bytes], build: Build | None = None) -> tuple[Header, int]:
    """The header, and how many lines it has. Raises `BadVariants` or `UnknownBuild`."""
    meta: list[str] = []
    size = 0
    for number, line in enumerate(text, 1):
        size += len(line)
        if size > HEADER:
            raise BadVariants("its header is longer than 64 MB; send the variants alone")
        said = line.decode("utf-8", "replace").rstrip("\r\n")
        if said.startswith("#CHROM"):
            return _headed(meta, said.split("\t"), build), number
        if not said.startswith("##"):
            break
        meta.append(said)
    raise BadVariants("it has no #CHROM line above its variants; send the file with its header")


def _headed(meta: list[str], columns: list[str], build: Build | None) -> Header:
    if len(columns) <= FIXED or columns[FIXED - 1] != "FORMAT":
        raise BadVariants("it names variants but nobody's genotypes; send one with samples")
    if len(set(columns[FIXED:])) < len(columns[FIXED:]):
        raise BadVariants("two of its samples have the same name; rename one and send it again")
    date = next((m.partition("=")[2] for m in meta if m.lower().startswith("##filedate=")), "")
    return Header(build or told(meta), tuple(columns[FIXED:]), date)


def sites(
    text: Iterator[bytes],
    header: Header,
    wanted: Callable[[str, int, int], bool],
    seen: Told,
    first: int = 1,
) -> Iterator[Site]:
    """The wanted lines as sites; `wanted(chromosome, position, end)` is asked for each.

    What cannot be read is counted in `seen`. Raises `Cut` where the last line is unfinished.
    """
    known: dict[bytes, tuple[str, int]] = {}
    for number, line in enumerate(text, first):
        parts = line.split(b"\t", FIXED)
        if len(parts) <= FIXED:
            _short(number, line, seen)
            continue
        seen.lines += 1
        name = parts[0]
        chromosome, length = known.get(name) or known.setdefault(name, _named(name, header.build))
        try:
            position = int(parts[1])
        except ValueError:
            seen.complain(number, f"{parts[1][:20]!r} is no position")
            continue
        end = position + len(parts[3]) - 1
        if not parts[4].isalpha() or b"END=" in parts[7]:
            end = _end(parts, position)
            seen.structural += _structural(parts[4])
        if not 0 < position <= length:
            seen.complain(number, f"{chromosome}:{position} is not on {header.build}")
        elif wanted(chromosome, position, end):
            yield _site(number, chromosome, position, end, parts)


def _named(name: bytes, build: Build) -> tuple[str, int]:
    chromosome = plain(name.decode("ascii", "replace"))
    return chromosome, LENGTHS[build].get(chromosome, 1 << 31)


def _short(number: int, line: bytes, seen: Told) -> None:
    if not line.endswith(b"\n") and line.strip():
        raise Cut(f"line {number} breaks off; send the file again, whole")
    if line.strip():
        seen.complain(number, "it has too few columns")


def _end(parts: list[bytes], position: int) -> int:
    for item in parts[7].split(b";"):
        if item.startswith(b"END=") and item[4:].isdigit():
            return max(position, int(item[4:]))
    return position + len(parts[3]) - 1


def _structural(alts: bytes) -> bool:
    told = [a.decode("ascii", "replace") for a in alts.split(b",")]
    return any(not a.isalpha() and a not in (*REFERENCE_ALTS, "*") for a in told)


def _site(number: int, chromosome: str, position: int, end: int, parts: list[bytes]) -> Site:
    alts = tuple(a.decode("ascii", "replace").upper() for a in parts[4].split(b","))
    keys = tuple(parts[8].decode("ascii", "replace").split(":"))
    passed = parts[6] in (b"PASS", b".", b"")
    reference = parts[3].decode("ascii", "replace").upper()
    return Site(number, chromosome, position, reference, alts, passed, end, keys, parts[9])
