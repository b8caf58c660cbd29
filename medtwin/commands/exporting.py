"""`medtwin export`: the words; the doing is in `taking_out`, loaded when a word is used."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Take out what is kept, of whoever agreed to it: views of FHIR, MEDS.",
    no_args_is_help=True,
)
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
For = Annotated[str, typer.Option("--purpose", help="research, training or sharing.")]
Shift = Annotated[
    bool, typer.Option("--shift-dates", help="Move each person's dates by days of their own.")
]


@app.command("view")
def view(
    definition: Annotated[Path, typer.Argument(help="A view definition (SQL on FHIR), JSON.")],
    to: Annotated[Path, typer.Option(help="FILE.parquet, .duckdb, .sqlite or .csv.")],
    purpose: For = "research",
    shift_dates: Shift = False,
    as_json: AsJson = False,
) -> None:
    """Rows of FHIR resources by a view definition, of everybody who agreed."""
    from medtwin.commands import taking_out

    wanted = taking_out.asked(purpose, shift_dates)
    taking_out.tell(taking_out.view_of(wanted, definition, to), as_json)


@app.command("meds")
def meds(
    to: Annotated[Path, typer.Option(help="A new folder.")],
    purpose: For = "research",
    shift_dates: Shift = False,
    as_json: AsJson = False,
) -> None:
    """Facts as the Medical Event Data Standard, of everybody who agreed."""
    from medtwin.commands import taking_out

    wanted = taking_out.asked(purpose, shift_dates)
    taking_out.tell(taking_out.meds_of(wanted, to), as_json)
