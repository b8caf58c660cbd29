"""How good the glucose twin is: python -m evidence.twin_quality [azt1d] [hupa] [virtual] [--json]

A new person's first days, silent sensors and replayed weeks on each set of real people (read from
MEDTWIN_SHARED, default ../shared), and virtual people whose truth is known. Figures go to
evidence/results/twin_quality-*.json as each part ends, and twin_quality.md is written from whatever
results are there. `--json` prints them.
"""

import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evidence.backtest import files, met, names
from evidence.quality import gaps, newcomers, replay, virtual
from evidence.quality.voices import Table, fitted
from medtwin.record.record import Record
from medtwin.sources.source import Options
from medtwin.sources.table import records

results = Path(__file__).parent / "results"
parts: dict[str, Any] = {"newcomers": newcomers, "gaps": gaps, "replay": replay, "virtual": virtual}
titles = {
    "newcomers": "somebody new: RMSE (mg/dL) 60 min ahead, nothing announced",
    "gaps": "a silent sensor: RMSE (mg/dL) 60 min after the silence",
    "replay": "days replayed",
    "virtual": "another plan, against the simulator's truth",
}
called = names | {"virtual": "Virtual people"}


def run(name: str) -> None:
    """One set of people, from its file to its JSON; kept as each part ends."""
    begun, table = time.process_time(), {}
    for part, found in measured(name):
        table[part] = found
        table["made"] = {
            "command": f"python -m evidence.twin_quality {name}",
            "at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            "cpu_minutes": round((time.process_time() - begun) / 60, 1),
        }
        kept(name).write_text(json.dumps(table, indent=1) + "\n")
        print(f"{time.process_time() - begun:6.0f} s  {name}: {part}", flush=True)


def measured(name: str) -> Any:
    """Each part's name and table."""
    if name == "virtual":
        yield "virtual", virtual.measured()
        return
    people = everybody(name)
    fits = {(d, r.patient): fitted(r, d) for r in people.values() for d in newcomers.lengths}
    yield "replay", replay.table(people, fits)
    yield "newcomers", newcomers.curve(people, fits)
    yield "gaps", gaps.table(people, fits)


def everybody(name: str) -> dict[str, Record]:
    """The people of one set."""
    shared = Path(os.environ.get("MEDTWIN_SHARED") or results.parents[2] / "shared")
    path = shared / "data" / "cgm_insulin_carbs" / files[name]
    return records(path, None, Options(received=datetime.now(UTC)))


def kept(name: str) -> Path:
    """Where a set's figures are."""
    return results / f"twin_quality-{name}.json"


def read() -> Table:
    """The figures there are, by set."""
    return {n: json.loads(kept(n).read_text()) for n in called if kept(n).exists()}


def page(found: Table) -> str:
    """Every set's figures as one readable page."""
    lines = ["# Quality of the glucose twin\n", "Written by `python -m evidence.twin_quality`."]
    for name, table in found.items():
        made = table["made"]
        lines.append(f"\n## {called[name]}\n")
        lines.append(f"`{made['command']}`, {made['at']}, {made['cpu_minutes']} min of a core.")
        for part in (p for p in parts if p in table):
            lines.append(f"\n### {called[name]}, {titles[part]}\n")
            lines += parts[part].told(table[part])
    lines.append("\n## How it was done\n")
    for part, module in parts.items():
        how = (module.__doc__ or "").strip().split("\n\n", 1)[1]
        lines.append(f"**{titles[part].partition(':')[0].capitalize()}.** {how}\n")
    lines.append("## Targets\n")
    return (
        "\n".join([*lines, *(f"- {line}" for n in found for line in targets(n, found[n]))]) + "\n"
    )


def targets(name: str, table: Table) -> list[str]:
    """Each target with what was reached."""
    lines = []
    for part, ours in (
        ("newcomers", "shown"),
        ("newcomers", "twin"),
        ("gaps", "mix"),
        ("gaps", "twin"),
    ):
        for case, of in table.get(part, {}).items():
            best = min((v for v in peers if v in of), key=lambda v: of[v])
            said = f"{called[name]}, {part}, {case}: {ours} below every statistical model: "
            said += f"{of[ours]:.2f} against {of[best]:.2f} ({best.replace('_', ' ')})"
            lines.append(met(of[ours] < of[best], said))
    goals = replay.goals(table["replay"]) if "replay" in table else []
    lines += [met(reached, f"{called[name]}, {said}") for reached, said in goals]
    for case, of in ((c, of) for c, of in table.get("virtual", {}).items() if c in asked):
        mard = of["mard_replayed"]
        lines.append(met(mard < 0.10, f"virtual people, {case}: MARD below 10 %: {mard:.1%}"))
    return lines


asked = (*virtual.changes, "all")
peers = ("persistence", "ridge", "ridge_inputs")
peers += ("lightgbm_person", "lightgbm_pooled", "lightgbm_mean")

if __name__ == "__main__":
    for chosen in [a for a in sys.argv[1:] if a != "--json"] or called:
        run(chosen)
    (results / "twin_quality.md").write_text(page(read()))
    if "--json" in sys.argv:
        print(json.dumps(read()))
