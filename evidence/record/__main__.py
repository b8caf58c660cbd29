"""Every figure of the record, one line each, or all of them as one JSON document.

    python -m evidence.record [--json] [--out FILE] [--only NAME ...]

Each file beside this one offers `figures(shared)`, with the folder of shared data, and yields one
`Figure` after the other. The folder is the list (`figure` and `server` serve the others). A part
whose data is not there says so and the rest goes on.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Any

from evidence.record.figure import Figure

here = Path(__file__).parent
parts = sorted(p.stem for p in here.glob("[a-z]*.py") if p.stem not in ("figure", "server"))


def shared() -> Path:
    """Where the shared data lies."""
    return Path(os.environ.get("MEDTWIN_SHARED", here.parents[2] / "shared"))


def asked(names: list[str]) -> Iterator[tuple[str, Figure]]:
    """The figures of each named part, in turn, with how long each part took."""
    for name in names:
        began = perf_counter()
        try:
            for figure in import_module(f"evidence.record.{name}").figures(shared()):
                yield name, figure
        except FileNotFoundError as why:
            print(f"{name}: left out, for its data is not here ({why})", file=sys.stderr)
        print(f"{name}: {perf_counter() - began:.1f} s", file=sys.stderr)


def document(found: list[tuple[str, Figure]]) -> dict[str, Any]:
    """All figures as one JSON document."""
    by_part: dict[str, Any] = {}
    for name, figure in found:
        by_part.setdefault(name, []).append(figure.told())
    return {
        "command": "python -m evidence.record --json",
        "others_on_this_machine": {"load": os.getloadavg()[1], "cpus": os.cpu_count()},
        **by_part,
    }


def main() -> None:
    """Print the figures, and write them where asked."""
    parser = argparse.ArgumentParser(description="the record's figures")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--out", type=Path, help="write the JSON document here as well")
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    told = parser.parse_args()
    found = []
    for name, figure in asked(told.only):
        found.append((name, figure))
        if not told.json:
            print(figure.said(), flush=True)
    written = json.dumps(document(found), indent=1)
    if told.json:
        print(written)
    if told.out:
        told.out.write_text(written + "\n")


if __name__ == "__main__":
    main()
