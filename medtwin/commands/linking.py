"""`medtwin link`: which records may be of one person, and joining or parting them."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from medtwin.vault.access import Principal
    from medtwin.vault.links import Pair
    from medtwin.vault.vault import Vault

app = typer.Typer(
    help="Records of one person: the review list, joining, parting.", no_args_is_help=True
)
One = Annotated[str, typer.Argument(help="A pseudonym; of two that are joined, the one kept.")]
Other = Annotated[str, typer.Argument(help="The other pseudonym.")]
Because = Annotated[str, typer.Option(help="Why; it is kept with the decision.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


@app.command()
def review(as_json: AsJson = False) -> None:
    """List the records that may be of one person, with the reasons."""
    _tell("records that may be of one person", lambda vault, me: vault.review(me), as_json)


@app.command()
def joined(as_json: AsJson = False) -> None:
    """List the records that are read as one."""
    _tell("records read as one", lambda vault, me: vault.links(me), as_json)


@app.command()
def join(one: One, other: Other, because: Because, as_json: AsJson = False) -> None:
    """Read two records as one from now on; nothing is moved."""
    said = (one, other, because)
    _tell("records read as one", lambda vault, me: (vault.link(me, *said),), as_json)


@app.command()
def part(one: One, other: Other, because: Because, as_json: AsJson = False) -> None:
    """Undo a join: each record is again what it was."""
    said = (one, other, because)
    _tell("records parted", lambda vault, me: (vault.unlink(me, *said),), as_json)


@app.command()
def apart(one: One, other: Other, because: Because, as_json: AsJson = False) -> None:
    """They are two people: take the pair off the review list."""
    said = (one, other, because)
    _tell("records left apart", lambda vault, me: (vault.leave_apart(me, *said),), as_json)


def _tell(what: str, ask: "Callable[[Vault, Principal], tuple[Pair, ...]]", as_json: bool) -> None:
    from medtwin.commands import house, report
    from medtwin.vault.access import Role

    with house.vault() as vault:
        pairs = ask(vault, house.me(Role.operator))
    said = [_said(pair) for pair in pairs]
    if as_json:
        report.said(said)
        return
    columns = ("one", "other", "stands", "chance", "why")
    rows = [(p["one"], p["other"], p["state"], _share(p["chance"]), _why(p)) for p in said]
    report.table(f"{len(said)} {what}", columns, rows)


def _said(pair: "Pair") -> dict[str, Any]:
    return {
        "one": pair.one,
        "other": pair.other,
        "keep": pair.keep,
        "state": str(pair.state),
        "chance": pair.chance,
        "found": list(pair.found),
        "decided": pair.decided,
        "by": pair.by,
        "because": pair.because,
    }


def _share(chance: float | None) -> str:
    return "" if chance is None else f"{chance:.0%}"


def _why(pair: dict[str, Any]) -> str:
    return pair["because"] or ", ".join(pair["found"])
