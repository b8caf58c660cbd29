"""Open mHealth's own samples: what should pass is accepted, what should fail is refused.

Each sample is a body (or a part of one). It is held against the schema its folder names; a body
that is a measure is also sent through the door inside a data point. There a few samples that are
shaped as they should meet a second question, which schemas do not ask: beats 30 ms apart, and
stretches that end years before they begin, are refused as no living person's, and rightly so.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from evidence.conformance.suite import Case, Suite
from medtwin.sources.door import received
from medtwin.sources.json_shape import faults
from medtwin.sources.open_mhealth import schemas
from medtwin.sources.source import Options

IMPLAUSIBLE = ("is outside", "before it begins")


def run(directory: Path) -> Iterator[Case]:
    """Every sample of the suite."""
    samples = directory / "test-data"
    for path in sorted(samples.rglob("should*/*.json")):
        namespace, name, version, should = path.relative_to(samples).parts[:4]
        said = orjson.loads(path.read_bytes())
        wrong = list(faults(said, schemas()[f"{namespace}/{name}-{version}"], schemas()))
        passes = should == "shouldPass"
        shape = f"accepted by {namespace}/{name} {version}" if not wrong else wrong[0]
        became = through_the_door(said, namespace, name, version)
        refused = became.startswith("refused") and not any(w in became for w in IMPLAUSIBLE)
        agreed = passes != bool(wrong) and (not became or refused != passes)
        case = str(path.relative_to(samples).with_suffix(""))
        yield Case(case, agreed, f"{shape}{'; ' if became else ''}{became}")


def through_the_door(said: Any, namespace: str, name: str, version: str) -> str:
    """What becomes of a measure as a data point; "" for a part, or for a whole data point."""
    if not isinstance(said, dict) or "effective_time_frame" not in said or name == "time-frame":
        return ""
    made = "2026-01-01T00:00:00Z"
    header = {
        "id": "1",
        "creation_date_time": made,
        "schema_id": {"namespace": namespace, "name": name, "version": version},
    }
    raw = orjson.dumps({"header": header, "body": said})
    arrived = list(received("sample.json", raw, Options(datetime(2026, 6, 1, tzinfo=UTC))))
    refused = [r.because for a in arrived for r in a.refused]
    if refused:
        return f"refused: {refused[0]}"
    facts = [f"{f.code.name} {f.value:g} {f.code.unit}" for a in arrived for f in a.facts]
    return ", ".join(facts) or f"kept as {arrived[0].kept}"


suite = Suite("openmhealth", run)
