"""How good the glucose twin is: python -m evidence.twin_quality [azt1d] [hupa] [virtual] [PART]

A new person's first days, silent sensors and replayed weeks on each set of real people (read from
MEDTWIN_SHARED, default ../shared), and virtual people whose truth is known. Figures go to
evidence/results/twin_quality-*.json as each part ends, and twin_quality.md is written from whatever
results are there. PART (replay, newcomers or gaps) measures that part alone, again. `--json` prints
the figures.
"""

import json
import os
import sys
import time
from collections.abc import Sequence
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


def run(name: str, wanted: Sequence[str]) -> None:
    """One set of people, from its file to its JSON; kept as each part ends."""
    begun, alone = time.process_time(), len(wanted) < len(parts)
    table = json.loads(kept(name).read_text()) if alone and kept(name).exists() else {}
    for part, found in measured(name, wanted):
        table[part] = found
        made = {
            "command": " ".join(
                ["python -m evidence.twin_quality", name, *(wanted if alone else ())]
            ),
            "at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            "cpu_minutes": round((time.process_time() - begun) / 60, 1),
        }
        if alone:
            table.setdefault("again", {})[part] = made
        else:
            table["made"] = made
        kept(name).write_text(json.dumps(table, indent=1) + "\n")
        print(f"{time.process_time() - begun:6.0f} s  {name}: {part}", flush=True)


def measured(name: str, wanted: Sequence[str]) -> Any:
    """Each part's name and table."""
    if name == "virtual":
        yield "virtual", virtual.measured()
        return
    people = everybody(name)
    lengths = newcomers.lengths if "newcomers" in wanted else (14,)
    fits = {(d, r.patient): fitted(r, d) for r in people.values() for d in lengths}
    if "replay" in wanted:
        yield "replay", replay.table(people, fits)
    if "newcomers" in wanted:
        yield "newcomers", newcomers.curve(people, fits)
    if "gaps" in wanted:
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
        lines += [
            f"`{one['command']}`, {one['at']}, {one['cpu_minutes']} min of a core."
            for one in (made, *table.get("again", {}).values())
        ]
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
        ("gaps", "shown"),
        ("gaps", "mix"),
        ("gaps", "twin"),
    ):
        for case, of in table.get(part, {}).items():
            if ours not in of:
                continue
            best = min((v for v in peers if v in of), key=lambda v: of[v])
            said = f"{called[name]}, {part}, {case}: {ours} below every statistical model: "
            said += f"{of[ours]:.2f} against {of[best]:.2f} ({best.replace('_', ' ')})"
            lines.append(met(of[ours] < of[best], said))
    lines += [
        line for case, of in table.get("gaps", {}).items() for line in of_own_past(name, case, of)
    ]
    goals = replay.goals(table["replay"]) if "replay" in table else []
    lines += [met(reached, f"{called[name]}, {said}") for reached, said in goals]
    for case, of in ((c, of) for c, of in table.get("virtual", {}).items() if c in asked):
        mard = of["mard_replayed"]
        lines.append(met(mard < 0.10, f"virtual people, {case}: MARD below 10 %: {mard:.1%}"))
    return lines


def of_own_past(name: str, case: str, of: Table) -> list[str]:
    """The forecast shown in a silence against models that heard nobody else either."""
    if "shown" not in of:
        return []
    best = min(own_peers, key=lambda v: of[v])
    said = f"{called[name]}, gaps, {case}: shown below every model taught by the person alone: "
    said += f"{of['shown']:.2f} against {of[best]:.2f} ({best.replace('_', ' ')})"
    held = f"{called[name]}, gaps, {case}: the shown's 90 % interval holds 87 to 93 %: "
    held += f"{of['held']:.1%}"
    return [met(of["shown"] < of[best], said), met(0.87 <= of["held"] <= 0.93, held)]


asked = (*virtual.changes, "all")
own_peers = ("persistence", "ridge_inputs", "lightgbm_person")
peers = ("persistence", "ridge", "ridge_inputs")
peers += ("lightgbm_person", "lightgbm_pooled", "lightgbm_mean")

if __name__ == "__main__":
    named = [a for a in sys.argv[1:] if a in parts and a not in called]
    for chosen in [a for a in sys.argv[1:] if a in called] or called:
        run(chosen, named or list(parts))
    (results / "twin_quality.md").write_text(page(read()))
    if "--json" in sys.argv:
        print(json.dumps(read()))
