"""`medtwin models`: what the house can follow, and each model's card."""

from dataclasses import asdict
from math import inf
from typing import Any

from medtwin.commands import report
from medtwin.commands.report import WrongInput
from medtwin.twin.credibility import Card, Parameter, card


def library() -> dict[str, Any]:
    """Every model of the folder, by the name of its file."""
    import medtwin.physiology
    from medtwin.catalogue import everything
    from medtwin.engine.model import Model

    return everything(medtwin.physiology, Model)


def run(name: str | None, as_json: bool) -> None:
    """List the models, or show one's card."""
    found = library()
    if name is None:
        _listed({file: card(model) for file, model in found.items()}, as_json)
        return
    if name not in found:
        raise WrongInput(f"there is no model {name}; there are {', '.join(found)}")
    _shown(name, card(found[name]), as_json)


def _listed(cards: dict[str, Card], as_json: bool) -> None:
    if as_json:
        report.said([told(file, one) for file, one in cards.items()])
        return
    rows = [(file, one.name, _names(one.shows), one.reference) for file, one in cards.items()]
    report.table("Models", ("file", "name", "shows", "reference"), rows)


def _shown(file: str, one: Card, as_json: bool) -> None:
    if as_json:
        report.said(told(file, one))
        return
    report.out.print(f"[bold]{one.name}[/]\n{one.reference}\nTrust: {one.trust or 'not said'}")
    report.out.print(f"Takes {_names(one.takes) or 'nothing'}; shows {_names(one.shows)}.")
    report.out.print(f"{len(one.states)} states, solved {one.solved}.")
    rows = [
        (p.name, report.short(p.median), p.unit, _spread(p), _bounds(p), p.source)
        for p in one.parameters
    ]
    columns = ("parameter", "median", "unit", "between people", "bounds", "source")
    report.table("Parameters", columns, rows)
    for sentence in one.lacks:
        report.out.print(f"[bold]lacking[/]: {sentence}")


def told(file: str, one: Card) -> dict[str, Any]:
    """A card as plain values; codes by their id."""
    codes = {place: [c.id for c in getattr(one, place)] for place in ("takes", "runs", "shows")}
    states = [{"name": name, "unit": unit} for name, unit in one.states]
    return {"file": file} | asdict(one) | codes | {"states": states}


def _names(codes: tuple[Any, ...]) -> str:
    return ", ".join(c.name for c in codes)


def _spread(p: Parameter) -> str:
    if not p.spread:
        return "same for all"
    return f"{p.spread:.0%}" if p.relative else f"sd {report.short(p.spread)}"


def _bounds(p: Parameter) -> str:
    if p.low == -inf and p.high == inf:
        return "none"
    if p.high == inf:
        return f"{report.short(p.low)} and more"
    if p.low == -inf:
        return f"up to {report.short(p.high)}"
    return f"{report.short(p.low)} to {report.short(p.high)}"
