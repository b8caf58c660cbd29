"""`medtwin forecast`, `compare` and `ledger`: what may come, what a plan changes, how we did."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from medtwin.commands import house, plan, report
from medtwin.commands.report import WrongInput
from medtwin.record.codes import Code
from medtwin.record.observation import Observation
from medtwin.vault.access import Role
from medtwin.vault.consent import Purpose

if TYPE_CHECKING:
    from medtwin.commands.present import Present


@dataclass(frozen=True)
class Asked:
    """Whom, what, how far, and from which moment (the newest fact if None)."""

    patient: str
    code: str
    hours: float
    at: str | None

    def times(self, start: datetime) -> tuple[datetime, ...]:
        """The moments that a forecast over so many hours shows."""
        from medtwin.commands.present import spaced

        return spaced(start, timedelta(hours=self.hours))


def forecast(asked: Asked, path: Path | None, as_json: bool) -> None:
    """The forecast shown, under the plan, with its 50 and 90 % intervals."""
    found, code = _present(asked)
    done = plan.read(path, found.now) if path else ()
    with report.working("looking ahead"):
        ahead = found.look(done)
    told = _heading(asked, found, code, done) | {
        "by": ahead.by,
        "forecast": _bands(ahead.times, ahead.middle, ahead.band(0.5), ahead.band(0.9)),
    }
    _tell(told, as_json, f"{code.name} of {asked.patient} from {found.now:%Y-%m-%d %H:%M} UTC")


def compare(asked: Asked, paths: Sequence[Path], as_json: bool) -> None:
    """Plan B minus plan A: the same body and the same chance under both."""
    from medtwin.twin.forecast import compare as hold_together

    if len(paths) != 2:
        raise WrongInput(f"compare takes two plans, not {len(paths)}: --plan A.json --plan B.json")
    found, code = _present(asked)
    plans = [plan.read(path, found.now) for path in paths]
    with report.working("trying both plans"):
        change = hold_together(found.twin, code, asked.times(found.now), *plans)
    rows = _bands(change.times, change.middle, change.band(0.5), change.band(0.9))
    lower = change.chance_lower
    told = _heading(asked, found, code, ()) | {
        "plans": {"A": _told_plan(plans[0]), "B": _told_plan(plans[1])},
        "difference": [r | {"chance_lower": float(p)} for r, p in zip(rows, lower, strict=True)],
    }
    _tell(told, as_json, f"{code.name} of {asked.patient}, plan B minus plan A")


def ledger(patient: str, as_json: bool) -> None:
    """The twin's own track record: every forecast kept, and how those came out that are due."""
    from medtwin.twin.ledger import track

    with house.vault() as vault:
        kept = vault.ledger(house.me(Role.clinician), patient, Purpose.twin)
    by = {name: asdict(track([e for e in kept if e.by == name])) for name in {e.by for e in kept}}
    if as_json:
        entries = [asdict(e) | {"code": e.code.id} for e in kept]
        report.said({"patient": patient, "track": by, "entries": entries})
        return
    rows = [
        (name, f"{horizon:g} min", h["n"], *(report.short(h[k]) for k in SCORES))
        for name, found in sorted(by.items())
        for horizon, h in found["horizons"].items()
    ]
    columns = ("forecast by", "ahead", "scored", *SCORES)
    report.table(f"Track record of the twin of {patient}", columns, rows)
    waiting = sum(found["waiting"] for found in by.values())
    report.out.print(f"{len(kept):,} forecasts kept, {waiting:,} wait for their measurement")


SCORES = ("rmse", "bias", "crps", "cover50", "cover80", "cover90")


def _present(asked: Asked) -> tuple["Present", Code]:
    """Read the record and bring the twin to its moment."""
    from medtwin.commands.present import present

    code = plan.code_named(asked.code, "--code")
    at = plan.moment(asked.at, "--at") if asked.at else None
    with house.vault() as vault, report.working("bringing the twin up to date"):
        return present(vault, asked.patient, code, at, timedelta(hours=asked.hours)), code


def _heading(
    asked: Asked, found: "Present", code: Code, done: Sequence[Observation]
) -> dict[str, Any]:
    twin = found.twin
    return {
        "patient": asked.patient,
        "code": code.id,
        "unit": code.unit,
        "model": twin.model.name,
        "made": found.now,
        "newest": found.newest,
        "rests_on": twin.facts,
        "cautions": list(found.cautions),
        "plan": _told_plan(done),
    }


def _told_plan(done: Sequence[Observation]) -> list[dict[str, Any]]:
    return [
        {"code": o.code.id, "value": o.value, "unit": o.code.unit, "at": o.at, "until": o.until}
        for o in done
    ]


def _bands(
    times: Sequence[datetime], middle: np.ndarray, half: np.ndarray, most: np.ndarray
) -> list[dict[str, Any]]:
    return [
        {
            "at": at,
            "mean": float(middle[i]),
            "median": float(half[1, i]),
            "low50": float(half[0, i]),
            "high50": float(half[2, i]),
            "low90": float(most[0, i]),
            "high90": float(most[2, i]),
        }
        for i, at in enumerate(times)
    ]


def _tell(told: dict[str, Any], as_json: bool, title: str) -> None:
    if as_json:
        report.said(told)
        return
    unit = told["unit"]
    rows = told.get("forecast") or told["difference"]
    near = rows[-1]["at"] - rows[0]["at"] < timedelta(days=1)
    shown = [
        (
            f"{r['at']:%H:%M}" if near else f"{r['at']:%d %b %H:%M}",
            report.short(r["median"]),
            f"{report.short(r['low50'])} to {report.short(r['high50'])}",
            f"{report.short(r['low90'])} to {report.short(r['high90'])}",
            *([f"{r['chance_lower']:.0%}"] if "chance_lower" in r else []),
        )
        for r in rows
    ]
    columns = ["UTC", f"median, {unit}", "half of the time", "9 times in 10"]
    columns += ["chance that B is lower"] if "difference" in told else []
    report.table(title, columns, shown)
    report.out.print(
        f"by the model {told['model']}, which has learned from {told['rests_on']:,} facts up to "
        f"{told['newest']:%Y-%m-%d %H:%M} UTC"
    )
    for caution in told["cautions"]:
        report.out.print(f"[bold]caution[/]: {caution}")
