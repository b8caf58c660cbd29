"""Every model against its paper and against real people, one line for each figure.

    python -m evidence.models [--json] [--only NAME ...]

Each file beside this one is a model's evidence: it offers `lines(shared)`, with the folder of
shared data, and yields one `Line` for each figure. The folder is the list.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from evidence.models.line import Line

here = Path(__file__).parent
parts = sorted(p.stem for p in here.glob("[a-z]*.py") if p.stem != "line")


def shared() -> Path:
    """Where the shared data lies."""
    return Path(os.environ.get("MEDTWIN_SHARED", here.parents[2] / "shared"))


def asked(names: list[str]) -> Iterator[Line]:
    """The lines of each named part, in turn, with how long each part took."""
    for name in names:
        began = time.perf_counter()
        yield from import_module(f"evidence.models.{name}").lines(shared())
        print(f"{name}: {time.perf_counter() - began:.1f} s", file=sys.stderr)


def main() -> None:
    """Print one line for each figure, as words or as JSON."""
    parser = argparse.ArgumentParser(description="every model against its paper and real people")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    told = parser.parse_args()
    for line in asked(told.only):
        print(json.dumps(line.told()) if told.json else line.said(), flush=True)


if __name__ == "__main__":
    main()
