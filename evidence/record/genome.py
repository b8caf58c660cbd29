"""The genome: phenotypes, star alleles and polygenic sums against others, and a VCF of 1 GB read.

PharmCAT's test files are named for the diplotype in them (`cyp2c19/s2s3.vcf`); those whose name is
plainly two alleles are called here and compared. Some names are older than today's definitions
(`s1a`, `s4b`, *60 of UGT1A1), which is said. The long VCF is generated, one sample; beside
it in the same run a loop that unpacks and splits every line and understands nothing.
`MEDTWIN_VCF_MB` asks for another size.
"""

import csv
import json
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from evidence.record.figure import Figure
from medtwin.genome.builds import Build, UnknownBuild
from medtwin.genome.calling import Call, call
from medtwin.genome.observing import Observed, Places, take
from medtwin.genome.phenotypes import phenotype
from medtwin.genome.polygenic import Adding, Strands
from medtwin.genome.scoring import scoring
from medtwin.genome.variants import BadVariants, Told, lines, read_header, sites

MEGABYTE = 1 << 20
HAPLOTYPES = "src/test/resources/org/pharmgkb/pharmcat/haplotype/"
OLD_NAMES = {"*1a": "*1", "*1b": "*37", "*4a": "*4", "*4b": "*4", "*1s": "*1", "*3a": "*3A"}
OLD_NAMES |= {"*3b": "*3B", "*3c": "*3C", "*ref": "*1"}

OURS = """
import json, resource, sys
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from medtwin.sources.door import read
from medtwin.sources.source import Options
begin, facts, kept = process_time(), 0, 0
for a in read([Path(sys.argv[1])], Options(datetime(2026, 6, 1, tzinfo=UTC))):
    facts, kept = facts + len(a.facts), kept + len(a.original)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([process_time() - begin, peak / 1024, facts, kept]))
"""
THEIRS = """
import gzip, json, sys
from time import process_time
begin, n = process_time(), 0
with gzip.open(sys.argv[1]) as file:
    for line in file:
        n += len(line.split(b"\\t"))
print(json.dumps([process_time() - begin, n]))
"""


def figures(shared: Path) -> Iterator[Figure]:
    """Agreement with CPIC's tables, PharmCAT's files and a sum program; then speed and memory."""
    yield phenotypes(shared / "vectors/risk/pgx_diplotype_phenotype.csv")
    yield sums(shared)
    yield from stars(shared / "data/pharmcat_vcf/pharmcat_vcf.tar.xz")
    yield from long_file()


def phenotypes(table: Path) -> Figure:
    """How many diplotypes get CPIC's phenotype and activity score by rule."""
    with table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    right = sum(_agrees(row) for row in rows)
    name = "diplotypes with CPIC's phenotype and activity score"
    return Figure(name, right, f"of {len(rows)}", float(len(rows)))


def _agrees(row: dict[str, str]) -> bool:
    found = phenotype(row["gene"], row["diplotype"])
    score = row["expected_activity_score"]
    same = not score or float(score) == found.activity
    return found.means == row["expected_phenotype"] and same


def sums(shared: Path) -> Figure:
    """The largest difference from a reference program's sums."""
    with (shared / "vectors/risk/pgs_tiny1000g.csv").open(encoding="utf-8") as file:
        expected = {r["sample"]: float(r["expected_sum"]) for r in csv.DictReader(file)}
    with (shared / "data/pgs/PGS001229_structured_GRCh38.txt.gz").open("rb") as file:
        weights = scoring(file, Build.grch38)
    with (shared / "data/pgs/tiny1000G.vcf.gz").open("rb") as file:
        text = lines(file)
        header, first = read_header(text, Build.grch38)
        adding = Adding(weights, header.samples, Strands.as_written)
        for site in sites(text, header, adding.wanted, Told(), first + 1):
            adding.take(site)
    found = {s.sample: s.value for s in adding.sums()}
    worst = max(abs(found[s] - v) for s, v in expected.items())
    note = f"{len(expected)} people, {len(adding.met)} variants"
    return Figure(
        "polygenic sums, largest difference", worst, "", 1e-6, more_is_better=False, note=note
    )


def stars(archive: Path) -> Iterator[Figure]:
    """PharmCAT's named files: the likeliest pair, or one as likely, is that of the name."""
    named, wrong, withheld = 0, [], []
    with tarfile.open(archive) as packed:
        for member in packed:
            expected = named_for(member.name)
            file = packed.extractfile(member) if expected else None
            if file is None or expected is None:
                continue
            named += 1
            name = member.name.removeprefix(HAPLOTYPES).removesuffix(".vcf")
            found = _called(file.read(), name.partition("/")[0].upper())
            told = {tuple(sorted(p.name.split("/"))) for p in found.likeliest} if found else set()
            if expected not in told:
                wrong.append(f"{name}: {found.diplotype if found else 'unread'}")
            elif found and found.doubt:
                withheld.append(name)
    note = f"disagreed: {'; '.join(wrong) or 'none'} (names of older definitions, or of one of two "
    note += "pairs that fit without phase). Named right but phenotype withheld: "
    note += ", ".join(withheld) or "none"
    yield Figure(
        "PharmCAT's files called as they are named", named - len(wrong), f"of {named}", note=note
    )


def named_for(path: str) -> tuple[str, ...] | None:
    """The two alleles a test file is named for, if its name is just that."""
    if not path.startswith(HAPLOTYPES) or "/" not in path.removeprefix(HAPLOTYPES):
        return None
    gene, _, name = path.removeprefix(HAPLOTYPES).removesuffix(".vcf").partition("/")
    name = re.sub(r"^SLCO1B1_|_t1$|(un)?phased$|-homozygous$", "", name)
    if told := re.fullmatch(r"s(\d+[a-cA-C]?)_?s(\d+[a-cA-C]?)", name):
        found = [OLD_NAMES.get(f"*{g}", f"*{g}") for g in told.groups()]
        return tuple(sorted(found))
    if name in ("refref", "s2ref", "s3ref"):
        return tuple(
            sorted(("*1", name.replace("refref", "*1").replace("ref", "").replace("s", "*")))
        )
    if gene == "VKORC1":
        words = {"G": "rs9923231 reference (C)", "A": "rs9923231 variant (T)"}
        return tuple(sorted(words[c] for c in re.findall(r"1639([GA])", name)))
    if gene == "IFNL3":
        words = {"C": "rs12979860 reference (C)", "T": "rs12979860 variant (T)"}
        return tuple(sorted(words[c] for c in name[-2:]))
    return None


def _called(content: bytes, gene: str) -> Call | None:
    text, told = lines(BytesIO(content)), Told()
    try:
        header, first = read_header(text)
        places, who = Places(header.build), Observed(header.samples[0])
        for site in sites(text, header, places.wanted, told, first + 1):
            take(site, places, {0: who}, told)
    except (BadVariants, UnknownBuild):
        return None
    return call(gene, who.seen.get(gene, {}))


def long_file() -> Iterator[Figure]:
    """One person's long VCF: how fast, and how much memory."""
    megabytes = int(os.environ.get("MEDTWIN_VCF_MB", "1000"))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "long.vcf.gz"
        size = written(path, megabytes * MEGABYTE)
        seconds, peak, facts, kept = _measured(OURS, path)
        theirs = _measured(THEIRS, path)[0]
        packed = path.stat().st_size
    note = f"generated, one sample, {size / MEGABYTE:.0f} MB unpacked, {facts:.0f} facts"
    per = size / MEGABYTE
    peer = "unpacked and split, nothing understood"
    yield Figure(
        "VCF, megabytes a second", per / seconds, "MB/s", None, True, peer, per / theirs, note
    )
    yield Figure("VCF, peak memory", peak, "MB", 500, more_is_better=False, note=note)
    yield Figure("VCF, original kept", kept / packed, "of its bytes", 1.0, note="part by part")


def written(path: Path, size: int) -> int:
    """A VCF of about this many bytes, one sample, written in gzip members as bgzip does."""
    import gzip

    head = b"##fileformat=VCFv4.2\n##reference=GRCh38\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER"
    head += b"\tINFO\tFORMAT\tNA1\nchr10\t94942290\trs1799853\tC\tT\t50\tPASS\tDP=30\tGT\t0/1\n"
    total, at = len(head), 100
    with path.open("wb") as file:
        file.write(gzip.compress(head, 1))
        while total < size:
            rows = range(at, at + 20_000)
            text = "".join(_row(i) for i in rows).encode()
            file.write(gzip.compress(text, 1))
            total, at = total + len(text), at + 20_000
    return total


def _row(i: int) -> str:
    place = i % 200_000_000 + 1
    info = f"AC=1;AF=0.5;AN=2;DP={i % 60};MQ={40 + i % 20}"
    return f"chr1\t{place}\trs{i * 7}\tA\tG\t{i % 99}\tPASS\t{info}\tGT:DP:GQ\t0/1:{i % 60}:99\n"


def _measured(script: str, path: Path) -> list[float]:
    asked = [sys.executable, "-c", script, str(path)]
    done = subprocess.run(asked, capture_output=True, check=True, text=True)
    return json.loads(done.stdout)
