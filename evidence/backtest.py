"""The back-test on AZT1D and HUPA-UCM: python evidence/backtest.py [azt1d] [hupa]

Reads the sets from MEDTWIN_SHARED (default ../shared), writes evidence/results/backtest-*.json
as each set ends, and backtest.md from whatever results are there, with the misses of targets.
"""

import json
import os
import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from medtwin.record import codes
from medtwin.record.record import Record
from medtwin.sources.source import Options
from medtwin.sources.table import records
from medtwin.twin.backtest import backtest

here = Path(__file__).parent
results = here / "results"
files = {"azt1d": "AZT1D.parquet", "hupa": "HUPA-UCM.parquet"}
names = {"azt1d": "AZT1D", "hupa": "HUPA-UCM"}
asked = {("azt1d", "unannounced"): 28.0, ("azt1d", "planned_meals"): 27.0}
asked |= {("hupa", "unannounced"): 29.0}
"""RMSE (mg/dL) asked of the forecast shown, 60 min ahead."""
Table = dict[str, Any]


def run(name: str) -> None:
    """One set, from its file to its JSON."""
    shared = Path(os.environ.get("MEDTWIN_SHARED") or here.parents[1] / "shared")
    path = shared / "data" / "cgm_insulin_carbs" / files[name]
    people = records(path, None, Options(received=datetime.now(UTC)))
    begun, busy = time.perf_counter(), time.process_time()
    table = backtest(people, name, progress=lambda done, what: told(begun, done, what))
    table["documented"] = [r.patient for r in people.values() if documented(r)]
    table["made"] = {
        "command": f"python evidence/backtest.py {name}",
        "at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python "
        f"{platform.python_version()}",
        "minutes": round((time.perf_counter() - begun) / 60, 1),
        "cpu_minutes": round((time.process_time() - busy) / 60, 1),
    }
    results.mkdir(exist_ok=True)
    (results / f"backtest-{name}.json").write_text(json.dumps(table, indent=1) + "\n")


def documented(record: Record) -> bool:
    """Whether the record holds basal rates, boluses and at least one meal a day.

    18 of HUPA-UCM's 24 people: most likely those of whom the first experiment's figures tell.
    """
    days = len(np.unique(record[codes.glucose].at // 86400))
    meals = len(record[codes.carbohydrate]) / days
    return (
        meals >= 1 and min(len(record[codes.insulin_basal]), len(record[codes.insulin_bolus])) > 0
    )


def told(begun: float, done: float, what: str) -> None:
    """Progress, one line at a time."""
    print(f"{time.perf_counter() - begun:6.0f} s  {done:4.0%}  {what}", flush=True)


def page(tables: dict[str, Table]) -> str:
    """Every result as one readable page."""
    parts = ["# Back-test\n", "Written by `python evidence/backtest.py`; RMSE, MAE, CRPS in mg/dL."]
    for name, table in tables.items():
        made = table["made"]
        parts.append(f"\n## {names[name]}\n")
        parts.append(
            f"`{made['command']}`, {made['at']}, {made['machine']}; {made['minutes']} min, of "
            f"them {made['cpu_minutes']} min of processor time (cores shared with other work).\n"
        )
        for scenario, by_horizon in table["scenarios"].items():
            parts.append(f"\n### {scenario.replace('_', ' ')}\n")
            parts += [rows(h, voices) for h, voices in by_horizon.items()]
        parts += [person_by_person(name, table)] if "people" in table else []
        parts.append(effect(table["insulin_effect"]))
        parts.append("\n### Targets\n")
        parts += [f"- {line}" for line in targets(name, table)]
    return "\n".join(parts) + "\n"


def rows(horizon: str, voices: Table) -> str:
    """One horizon's voices as a Markdown table."""
    n, people = voices["shown"]["n"], voices["shown"]["people"]
    head = f"\n{horizon} min ahead, {n} forecasts of {people} people\n\n"
    head += (
        "| | RMSE | MAE | MARD | CRPS | 50 % | 80 % | 90 % | Clarke A+B |\n" + "|---" * 9 + "|\n"
    )
    return head + "\n".join(
        f"| {voice.replace('_', ' ')} | {s['rmse']:.2f} | {s['mae']:.2f} | {s['mard']:.1%} | "
        f"{s['crps']:.2f} | {s['cover50']:.1%} | {s['cover80']:.1%} | {s['cover90']:.1%} | "
        f"{s['clarke_ab']:.1%} |"
        for voice, s in voices.items()
    )


def person_by_person(name: str, table: Table) -> str:
    """The shown against its peers for each person, 60 min ahead, and the documented alone."""
    lines = ["\n### Person by person, 60 min ahead\n"]
    for scenario, by_horizon in table["paired"].items():
        words = scenario.replace("_", " ")
        for pair, p in by_horizon["60"].items():
            lines.append(
                f"- {words}: {pair.replace('_', ' ')}: better for {p['better']} of {p['people']}; "
                f"mean difference of RMSE {p['mean']:+.2f} (95 % interval {p['low']:+.2f} to "
                f"{p['high']:+.2f}, bootstrap over people)"
            )
        each = table["people"][scenario]["60"]
        cover = sorted(one["cover90"] for one in each.values())
        lines.append(
            f"- {words}: 90 % interval of the shown holds {cover[0]:.1%} to {cover[-1]:.1%}"
        )
        if name == "hupa":
            some = {w: of for w, of in each.items() if w in table["documented"]}
            said = (f"{v.replace('_', ' ')} {together(some, v):.2f}" for v in told_of)
            lines.append(f"- {words}, {len(some)} people with pump and meals: {', '.join(said)}")
    return "\n".join(lines)


told_of = ("persistence", "twin", "lightgbm_person", "lightgbm_pooled", "lightgbm_mean", "shown")


def together(each: Table, voice: str) -> float:
    """RMSE over these people's forecasts together."""
    n = np.array([one["n"] for one in each.values()])
    return float(np.sqrt(n @ np.array([one[voice] ** 2 for one in each.values()]) / n.sum()))


def effect(found: Table) -> str:
    """What one unit does."""
    each = [person["120"] for person in found["each"].values()]
    return (
        f"\nOne unit lowers glucose for {found['lowers_people']} of {found['people']} people: by "
        f"{found['60']:.0%} of the correction factor at 60 min and {found['120']:.0%} at 120 min "
        f"(medians; at 120 min from {min(each):.0%} to {max(each):.0%})."
    )


def targets(name: str, table: Table) -> list[str]:
    """Each target with what was reached."""
    by = table["scenarios"]["unannounced"]
    peer, whose = {
        "azt1d": ("ridge", "glucose-only ridge"),
        "hupa": ("lightgbm_person", "per-person LightGBM"),
    }[name]
    lines = [
        met(
            by["60"]["twin"]["rmse"] <= by["60"][peer]["rmse"],
            f"twin alone below {whose} at 60 min: {by['60']['twin']['rmse']:.2f} against "
            f"{by['60'][peer]['rmse']:.2f}",
        )
    ]
    for scenario, voices in table["scenarios"].items():
        for h, v in voices.items():
            ratio = v["shown"]["rmse"] / v["lightgbm_pooled"]["rmse"] - 1
            words = f"{scenario.replace('_', ' ')}, {h} min: shown within 1 % of pooled LightGBM"
            lines.append(met(ratio <= 0.01, f"{words}: {ratio:+.2%}"))
            cover = v["shown"]["cover90"]
            words = (
                f"{scenario.replace('_', ' ')}, {h} min: 90 % interval of the shown holds 87-93 %"
            )
            lines.append(met(0.87 <= cover <= 0.93, f"{words}: {cover:.1%}"))
    lines += shown_targets(name, table) if "people" in table else []
    found = table["insulin_effect"]
    each = [person["120"] for person in found["each"].values()]
    all_lower = found["lowers_people"] == found["people"]
    lines.append(
        met(all_lower, f"1 U lowers for all: {found['lowers_people']} of {found['people']}")
    )
    inside = sum(0.30 <= e <= 0.60 for e in each)
    words = f"120-min effect between 30 and 60 % of the correction factor: {inside} of {len(each)}"
    return [*lines, met(inside == len(each), words)]


def shown_targets(name: str, table: Table) -> list[str]:
    """What was asked of the forecast shown, 60 min ahead."""
    lines = []
    for scenario, voices in table["scenarios"].items():
        words, each = scenario.replace("_", " "), table["people"][scenario]["60"]
        limit, reached = asked.get((name, scenario)), voices["60"]["shown"]["rmse"]
        if limit is not None:
            lines.append(met(reached < limit, f"{words}: shown below {limit:.1f}: {reached:.2f}"))
            some = {w: of for w, of in each.items() if w in table["documented"]}
            if name == "hupa":
                low = together(some, "shown")
                said = f"{words}: the same, {len(some)} people with pump and meals: {low:.2f}"
                lines.append(met(low < limit, said))
        p = table["paired"][scenario]["60"]["shown against lightgbm_mean"]
        said = f"{words}: shown better than the mean of the two LightGBMs for most people"
        most = 2 * p["better"] > p["people"] and p["high"] < 0
        lines.append(met(most, f"{said}: {p['better']} of {p['people']}, {p['mean']:+.2f}"))
        inside = sum(0.80 <= one["cover90"] <= 0.97 for one in each.values())
        said = f"{words}: 90 % interval of the shown holds 80-97 % for each person"
        lines.append(met(inside == len(each), f"{said}: {inside} of {len(each)}"))
    return lines


def met(reached: bool, words: str) -> str:
    """A line that says at once whether it was reached."""
    return f"{'reached' if reached else '**missed**'}: {words}"


if __name__ == "__main__":
    for chosen in sys.argv[1:] or files:
        run(chosen)
    found = {n: results / f"backtest-{n}.json" for n in files}
    kept = {n: json.loads(p.read_text()) for n, p in found.items() if p.exists()}
    (results / "backtest.md").write_text(page(kept))
