"""Run every outside suite found under a folder, and say where we agree and where not.

    python -m evidence.conformance --suites DIR [--only NAME ...] [--json]

DIR holds one folder for each suite. Files beside this one that end in `suite = Suite(...)` know
what to do with a folder; the list of files is the list of suites.
"""

import json
import sys
from argparse import ArgumentParser, Namespace
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Any

from evidence.conformance.suite import Case, Suite

here = Path(__file__).parent
OTHERS = {"__init__", "__main__", "suite"}
SHOWN = 20


def suites() -> list[Suite]:
    """Every suite there is a file for, by name."""
    names = sorted(p.stem for p in here.glob("*.py") if p.stem not in OTHERS)
    found = [import_module(f"evidence.conformance.{name}") for name in names]
    return [m.suite for m in found if hasattr(m, "suite")]


def outcome(suite: Suite, folder: Path) -> dict[str, Any]:
    """How many cases, how many agree, and the others by name. A suite that breaks says why."""
    began, found, broke = perf_counter(), [], ""
    try:
        found += list(suite.run(folder))
    except Exception as why:  # noqa: BLE001 - one suite that breaks does not cost the others
        broke = f"{type(why).__name__}: {why}"
    cases = [c for c in found if c.name != "summary"]
    result = {
        "cases": len(cases),
        "agreed": sum(c.agreed for c in cases),
        "disagreed": [{"name": c.name, "said": c.said} for c in cases if not c.agreed],
        "summary": [c.said for c in found if c.name == "summary"],
        "seconds": round(perf_counter() - began, 1),
    }
    return {**result, "broke": broke} if broke else result


def told(name: str, result: dict[str, Any]) -> str:
    """One suite in a few lines."""
    lines = [f"{name}: {result['agreed']} of {result['cases']} agree ({result['seconds']} s)"]
    lines += [f"    {said}" for said in result["summary"]]
    lines += [f"    broke: {result['broke']}"] if "broke" in result else []
    apart = result["disagreed"]
    lines += [f"  - {c['name']}: {c['said'][:160]}" for c in apart[:SHOWN]]
    if len(apart) > SHOWN:
        lines.append(f"  - and {len(apart) - SHOWN} more")
    return "\n".join(lines)


def asked() -> Namespace:
    """What was asked for on the command line."""
    parser = ArgumentParser(prog="python -m evidence.conformance")
    parser.add_argument("--suites", type=Path, required=True, help="folder that holds the suites")
    parser.add_argument("--only", nargs="*", default=(), help="names of folders")
    parser.add_argument("--json", action="store_true", help="print JSON, nothing else")
    return parser.parse_args()


def main() -> None:
    """Run what was asked for."""
    options, results = asked(), {}
    for suite in suites():
        folder = options.suites / suite.folder
        if not folder.is_dir() or (options.only and suite.folder not in options.only):
            continue
        print(f"{suite.folder} ...", file=sys.stderr)
        results[suite.folder] = outcome(suite, folder)
        if not options.json:
            print(told(suite.folder, results[suite.folder]))
    if options.json:
        print(json.dumps(results, indent=1, ensure_ascii=False))


__all__ = ["Case", "Suite"]

if __name__ == "__main__":
    main()
