"""FHIR R4 on one core: read and wholly validated, made into structs, indexed for search.

Beside it in the same run: orjson alone on the same bytes, and fhirclient, which checks structure
but neither codes, formats, references nor the standard's rules. Synthea's resources (synthetic),
processor time.
"""

import tarfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from time import process_time
from typing import Any

import orjson
from fhirclient.models.fhirelementfactory import FHIRElementFactory

from evidence.record.figure import Figure
from medtwin.fhir import parsing
from medtwin.fhir.searching import values
from medtwin.fhir.validation import validated

SOME = 40_000
FEWER = 2_000  # for the peer, which would take minutes


def figures(shared: Path) -> Iterator[Figure]:
    """Resources a second."""
    raws = list(islice(resources(shared / "data/synthea_r4_dev/synthea_r4_dev.tar.xz"), SOME))
    alone = rate(orjson.loads, raws)
    peer = rate(_by_fhirclient, raws[:FEWER])
    note = f"{len(raws)} resources, {sum(map(len, raws)) / len(raws):.0f} bytes each"
    judged = rate(validated, raws)
    invalid = sum(bool(validated(raw)) for raw in raws)
    yield Figure(
        "FHIR read and validated",
        judged,
        "resources/s/core",
        20_000,
        peer="fhirclient, structure only",
        peers=peer,
        note=f"{note}; {invalid} invalid; orjson alone reads {alone:.0f} a second",
    )
    yield Figure(
        "FHIR read to structs and validated",
        rate(lambda raw: (parsing.parsed(raw), validated(raw)), raws),
        "resources/s/core",
        20_000,
        peer="fhirclient, structure only",
        peers=peer,
        note="decimals as written; two passes",
    )
    yield Figure(
        "FHIR resources to what they are searched by",
        rate(lambda raw: list(values(orjson.loads(raw))), raws[: SOME // 4]),
        "resources/s/core",
        note="every search parameter of R4",
    )


def resources(archive: Path) -> Iterator[bytes]:
    """The resources of all bundles, one by one."""
    if not archive.exists():
        raise FileNotFoundError(archive)
    with tarfile.open(archive) as packed:
        for member in packed:
            file = packed.extractfile(member)
            if file is not None and member.name.endswith(".json"):
                for entry in orjson.loads(file.read()).get("entry", []):
                    yield orjson.dumps(entry["resource"])


def rate(act: Callable[[bytes], Any], raws: list[bytes]) -> float:
    """How many a second, after a first few to warm up."""
    for raw in raws[: len(raws) // 10]:
        act(raw)
    begin = process_time()
    for raw in raws:
        act(raw)
    return len(raws) / (process_time() - begin)


def _by_fhirclient(raw: bytes) -> Any:
    held = orjson.loads(raw)
    return FHIRElementFactory.instantiate(held["resourceType"], held)
