"""What is asked of a VCF beside its genes: whose samples they are, which scores to sum.

A mapping file (JSON) may have: `build` where the header tells none, `samples` (whose each is),
`scores` (PGS Catalog files beside it), `strands` ("as written" where the score's letters are
known to be forward), `enough` (the least share of a score's variants), `references` (score to a
CSV of `sum`, `group`, `PC1`...), `groups` and `components` (each sample's ancestry), and
`outside` (a table of gene and diplotype from other software).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from medtwin.genome.builds import Build, named
from medtwin.genome.outside import Outside, outside
from medtwin.genome.polygenic import ENOUGH, Strands
from medtwin.sources.reference_scores import Reference, reference

KEYS = {"build", "samples", "scores", "strands", "enough", "references", "groups", "components"}
KEYS |= {"outside"}


class BadAsking(ValueError):
    """The mapping file cannot be used."""


@dataclass(frozen=True)
class Asking:
    """What is asked of a VCF beside its genes: whose samples they are, which scores to sum."""

    build: Build | None = None
    samples: Mapping[str, str] = field(default_factory=dict)
    scores: tuple[Path, ...] = ()
    strands: Strands = Strands.resolved
    enough: float = ENOUGH
    references: Mapping[str, Reference] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    components: Mapping[str, list[float]] = field(default_factory=dict)
    outside: tuple[Outside, ...] = ()


def asked(path: Path | None) -> Asking:
    """What a mapping file asks for; without one, or with a table's, nothing. Raises `BadAsking`."""
    if path is None:
        return Asking()
    try:
        said = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as why:
        raise BadAsking(
            f"the mapping {path.name} cannot be read ({why}); write it as JSON"
        ) from why
    if not isinstance(said, dict) or not KEYS & said.keys():
        return Asking()
    if unknown := said.keys() - KEYS:
        raise BadAsking(f"{path.name} has {sorted(unknown)}; a VCF's mapping has {sorted(KEYS)}")
    try:
        return _asking(said, path.parent)
    except (OSError, TypeError, ValueError, AttributeError) as why:
        raise BadAsking(f"{path.name} cannot be used ({why}); correct it") from why


def _asking(said: dict[str, Any], folder: Path) -> Asking:
    build = named(said["build"]) if "build" in said else None
    if "build" in said and build is None:
        raise ValueError(f"build {said['build']!r} is neither GRCh37 nor GRCh38")
    calls = folder.joinpath(said["outside"]).read_text("utf-8") if "outside" in said else ""
    forward = said.get("strands") == "as written"
    return Asking(
        build,
        dict(said.get("samples", {})),
        tuple(folder / name for name in said.get("scores", ())),
        Strands.as_written if forward else Strands.resolved,
        float(said.get("enough", ENOUGH)),
        {s: reference(folder / name) for s, name in said.get("references", {}).items()},
        dict(said.get("groups", {})),
        dict(said.get("components", {})),
        tuple(outside(calls)),
    )
