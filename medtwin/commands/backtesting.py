"""`medtwin backtest`: recorded days replayed through the live loop, held against what came."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from medtwin.commands import report
from medtwin.commands.report import WrongInput
from medtwin.record.record import Record
from medtwin.sources.source import Options
from medtwin.sources.table import records
from medtwin.sources.table_mapping import loaded
from medtwin.twin.backtest import Tell, backtest

SETS = ("azt1d", "hupa", "table")
TABLES = (".parquet", ".csv", ".tsv")
SCORES = {
    "rmse": "RMSE",
    "mae": "MAE",
    "mard": "MARD",
    "crps": "CRPS",
    "cover50": "50 %",
    "cover80": "80 %",
    "cover90": "90 %",
    "clarke_ab": "A+B",
}


@dataclass(frozen=True)
class Asked:
    """Which data, which set, how far ahead (minutes), and how many people at most."""

    data: Path
    name: str
    horizons: tuple[int, ...]
    mapping: Path | None = None
    people: int | None = None


def run(asked: Asked, path: Path | None) -> None:
    """Replay, print the table, and write it where asked."""
    if path is not None and not path.parent.is_dir():
        raise WrongInput(f"there is no folder {path.parent} for {path.name}; make it first")
    everybody = read(asked)
    chosen = dict(list(everybody.items())[: asked.people])
    with progress() as tell:
        found = backtest(chosen, asked.name, asked.horizons, tell)
    if path is not None:
        report.written(found, path)
    tell_table(found)


def read(asked: Asked) -> dict[str, Record]:
    """Everybody in the set; each value known when its own table says it was."""
    options = Options(received=datetime.now(UTC), mapping=asked.mapping)
    mapping = loaded(asked.mapping) if asked.mapping else None
    with report.working("reading the tables"):
        parts = [records(file, mapping, options) for file in files(asked)]
    everybody = {who: record for part in parts for who, record in part.items()}
    if not everybody:
        raise WrongInput(f"nobody is in {asked.data}; a back-test needs glucose over days")
    return everybody


def files(asked: Asked) -> list[Path]:
    """The tables of this set: those that carry its name, or all of them for `table`."""
    if asked.name not in SETS:
        raise WrongInput(f"{asked.name} is no set; allowed are {', '.join(SETS)}")
    if not asked.data.exists():
        raise WrongInput(f"there is nothing at {asked.data}; give the folder of the set")
    inside = sorted(asked.data.rglob("*")) if asked.data.is_dir() else [asked.data]
    tables = [p for p in inside if p.suffix.lower() in TABLES]
    named = [p for p in tables if asked.name in p.name.lower() and p.suffix == ".parquet"]
    found = tables if asked.name == "table" else named
    if not found:
        raise WrongInput(f"{asked.data} holds no table of {asked.name}; there is {inside[:9]}")
    return found


@contextmanager
def progress() -> Iterator[Tell]:
    """A bar on stderr that `backtest` moves."""
    columns = (BarColumn(), TextColumn("{task.percentage:>3.0f} % {task.description}"))
    with Progress(*columns, TimeElapsedColumn(), console=report.aside, transient=True) as shown:
        task = shown.add_task("", total=1.0)

        def tell(share: float, doing: str) -> None:
            shown.update(task, completed=share, description=doing)

        yield tell


def tell_table(found: dict[str, Any]) -> None:
    """The scores for people: one table for each scenario and horizon, and what one unit does."""
    for scenario, horizons in found["scenarios"].items():
        for horizon, voices in horizons.items():
            rows = [(who.replace("_", " "), *_shown(scores)) for who, scores in voices.items()]
            shown = voices["shown"]
            title = (
                f"{found['set']}, {scenario.replace('_', ' ')}, {horizon} min ahead: "
                f"{shown['n']:,} forecasts of {shown['people']} people, mg/dL"
            )
            report.table(title, ("", *SCORES.values()), rows)
    effect = found["insulin_effect"]
    shares = " and ".join(f"{effect[h]:.0%} at {h} min" for h in ("60", "120") if h in effect)
    report.out.print(
        f"1 U lowers glucose for {effect['lowers_people']} of {effect['people']} people"
        + (f", by {shares} of the correction factor (median)" if shares else "")
    )


def _shown(scores: dict[str, float]) -> list[str]:
    """Errors in mg/dL with two decimals, shares in percent."""
    shares = ("mard", "clarke_ab", "cover50", "cover80", "cover90")
    return [f"{scores[n]:.1%}" if n in shares else f"{scores[n]:.2f}" for n in SCORES]
