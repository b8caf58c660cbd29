"""`medtwin twin-test`: the six tests of a twin, each with its verdict and the reason in words."""

import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from medtwin.commands import report
from medtwin.commands.report import WrongInput
from medtwin.twin_suite.adapter import Adapter
from medtwin.twin_suite.medtwin_twin import adapters
from medtwin.twin_suite.suite import held_against, named
from medtwin.twin_suite.verdict import Verdict


def run(model: str | None, address: str | None, as_json: bool) -> None:
    """Hold the suite against each system; leave with 1 if any of them failed a test."""
    chosen = systems(model, address)
    found = {adapter.name: tuple(_told(adapter)) for adapter in chosen}
    if as_json:
        report.said([{"system": s, "verdicts": [asdict(v) for v in vs]} for s, vs in found.items()])
    else:
        for system, verdicts in found.items():
            tell(system, verdicts)
    if not all(v.passed for verdicts in found.values() for v in verdicts):
        sys.exit(1)


def systems(model: str | None, address: str | None) -> tuple[Adapter, ...]:
    """Whose twins are tested."""
    if address is not None and model is not None:
        raise WrongInput("--adapter brings its own model; leave --model out")
    if address is not None:
        sys.path.insert(0, str(Path.cwd()))  # the adapter may lie where the command is typed
        return (named(address),)
    if model is not None and model not in adapters:
        raise WrongInput(f"no model is called {model}; allowed: {', '.join(adapters)}")
    return tuple(adapters.values()) if model is None else (adapters[model],)


def tell(system: str, verdicts: tuple[Verdict, ...]) -> None:
    """One table for each system."""
    rows = [
        (v.letter, v.claim, "[green]passed[/green]" if v.passed else "[red]FAILED[/red]", _plain(v))
        for v in verdicts
    ]
    report.table(system, ("", "claim", "verdict", "because"), rows)


def _plain(verdict: Verdict) -> str:
    return verdict.because.replace("[", r"\[")


def _told(adapter: Adapter) -> Iterator[Verdict]:
    with report.working(f"testing {adapter.name}"):
        yield from held_against(adapter)
