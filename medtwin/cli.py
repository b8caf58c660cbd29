"""The command line: what can be typed, in words; the doing is loaded when a word is used."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from medtwin.commands import exporting, linking

app = typer.Typer(
    name="medtwin",
    help="A living digital twin of a patient: look ahead, try a plan, be warned, keep score.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
audit = typer.Typer(help="Who did what with whose data.", no_args_is_help=True)
app.add_typer(audit, name="audit")
app.add_typer(linking.app, name="link")
app.add_typer(exporting.app, name="export")

Patient = Annotated[str, typer.Argument(help="The pseudonym that `medtwin patients` prints.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Host = Annotated[str | None, typer.Option(help="Address to serve at (MEDTWIN_HOST).")]
Port = Annotated[int | None, typer.Option(help="Port to serve at (MEDTWIN_PORT).")]
CodeName = Annotated[str, typer.Option("--code", help="What to forecast.")]
Hours = Annotated[float, typer.Option(help="How far ahead to look.", min=0.1, max=87_600)]
AsOf = Annotated[
    str | None, typer.Option("--at", help="Moment to forecast from; the newest fact if not said.")
]


@app.command()
def demo(
    speed: Annotated[float, typer.Option(help="How many minutes pass in one.", min=1)] = 60.0,
    patients: Annotated[int, typer.Option(help="How many people to make.", min=1, max=16)] = 10,
    host: Host = None,
    port: Port = None,
) -> None:
    """Start a small generated hospital whose patients' data keep arriving."""
    from medtwin.commands import serving

    serving.demo(speed, patients, host, port)


@app.command()
def serve(host: Host = None, port: Port = None) -> None:
    """Serve the pages on the store under MEDTWIN_HOME."""
    from medtwin.commands import serving

    serving.serve(host, port)


@app.command()
def listen(
    basis: Annotated[str, typer.Option(help="On what ground these messages are kept.")],
    port: Annotated[int, typer.Option(help="Port for HL7 v2; 0 is any.", min=0)] = 2575,
    grant: Annotated[
        list[str] | None, typer.Option(help="Purposes granted with it, such as care,twin.")
    ] = None,
    zone: Annotated[
        str | None, typer.Option(help="Zone of times that say none, such as Europe/Madrid.")
    ] = None,
    host: Host = None,
) -> None:
    """Take HL7 v2 messages over MLLP; each is acknowledged when it is kept for good."""
    from medtwin.commands import importing, listening

    listening.listen(listening.Asked(host, port, basis, importing.grants(grant or []), zone))


@app.command("import")
def import_(
    paths: Annotated[list[Path], typer.Argument(help="Files, folders or archives.")],
    basis: Annotated[str, typer.Option(help="On what ground these records are kept.")],
    grant: Annotated[
        list[str] | None, typer.Option(help="Purposes granted with it, such as care,twin.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="What the columns of a table mean (JSON).")
    ] = None,
    zone: Annotated[
        str | None, typer.Option(help="Zone of times that say none, such as Europe/Madrid.")
    ] = None,
    about: Annotated[
        str | None, typer.Option(help="Whose a device's file is: system|number, as records say.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring records in: FHIR, devices, tables; say what was kept and what was refused."""
    from medtwin.commands import importing

    granted = importing.grants(grant or [])
    asked = importing.Asked(tuple(paths), basis, granted, mapping, zone, about)
    importing.run(asked, as_json)


@app.command()
def patients(as_json: AsJson = False) -> None:
    """List everybody kept, by pseudonym."""
    from medtwin.commands import people

    people.listed(as_json)


@app.command()
def show(patient: Patient, as_json: AsJson = False) -> None:
    """Show one person: who, what they agreed to, the latest of everything known."""
    from medtwin.commands import people

    people.show(patient, as_json)


@app.command()
def consent(
    patient: Patient,
    grant: Annotated[list[str] | None, typer.Option(help="Purposes agreed to.")] = None,
    withdraw: Annotated[list[str] | None, typer.Option(help="Purposes withdrawn.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a person agreed to, and enter their choices."""
    from medtwin.commands import importing, people

    people.consent(
        patient, importing.grants(grant or []), importing.grants(withdraw or []), as_json
    )


@app.command()
def forecast(
    patient: Patient,
    code: CodeName = "glucose",
    hours: Hours = 6.0,
    plan: Annotated[Path | None, typer.Option(help="A plan file (docs/cli.md).")] = None,
    at: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Look ahead for one person, under a plan if one is given."""
    from medtwin.commands import looking

    looking.forecast(looking.Asked(patient, code, hours, at), plan, as_json)


@app.command()
def compare(
    patient: Patient,
    plan: Annotated[list[Path], typer.Option(help="Two plan files: --plan A.json --plan B.json.")],
    code: CodeName = "glucose",
    hours: Hours = 6.0,
    at: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Try two plans on the same person: the difference, with its interval."""
    from medtwin.commands import looking

    looking.compare(looking.Asked(patient, code, hours, at), plan, as_json)


@app.command()
def ledger(patient: Patient, as_json: AsJson = False) -> None:
    """Show the twin's own track record for one person."""
    from medtwin.commands import looking

    looking.ledger(patient, as_json)


@app.command()
def backtest(
    data: Annotated[Path, typer.Option(help="Folder of the data set.")],
    set_: Annotated[str, typer.Option("--set", help="azt1d, hupa or table.")] = "table",
    horizon: Annotated[list[int] | None, typer.Option(help="Minutes ahead; repeatable.")] = None,
    json_: Annotated[
        Path | None, typer.Option("--json", help="Write the result here as well.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="What the columns mean, for --set table.")
    ] = None,
    people: Annotated[
        int | None, typer.Option(help="Only the first so many people.", min=1)
    ] = None,
) -> None:
    """Replay recorded days through the live loop, and hold the forecasts against what came."""
    from medtwin.commands import backtesting

    asked = backtesting.Asked(data, set_, tuple(horizon or (30, 60, 120)), mapping, people)
    backtesting.run(asked, json_)


@app.command("twin-test")
def twin_test(
    model: Annotated[
        str | None, typer.Option(help="glucose_living or type1; both if not said.")
    ] = None,
    adapter: Annotated[
        str | None, typer.Option(help="Another system's twin, as module:name of its adapter.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hold the six tests of a twin against medtwin's own, or against another system's."""
    from medtwin.commands import twin_testing

    twin_testing.run(model, adapter, as_json)


@app.command()
def models(
    name: Annotated[str | None, typer.Argument(help="One model's file, such as type1.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the models, or show one's card: its sources, bounds, and what it lacks."""
    from medtwin.commands import models as cards

    cards.run(name, as_json)


@app.command()
def surround(
    file: Annotated[Path, typer.Argument(help="A table of places and days (docs/sources.md).")],
    basis: Annotated[str, typer.Option(help="On what ground it is kept.")],
    as_json: AsJson = False,
) -> None:
    """Give air and heat by place and day to everybody who lives there."""
    from medtwin.commands import surrounding

    surrounding.run(file, basis, as_json)


@app.command()
def retire(
    patient: Patient,
    because: Annotated[str, typer.Option(help="Why this person's data ends.")],
    as_json: AsJson = False,
) -> None:
    """End a person's data for good; prints the certificate. There is no way back."""
    from medtwin.commands import people

    people.retire(patient, because, as_json)


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="A folder that is not there yet.")],
    keys: Annotated[
        Path | None, typer.Option(help="Copy the keys too, to this folder on another medium.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Copy the sealed store while it is used; the keys go elsewhere, for they open it."""
    from medtwin.commands import copying

    copying.backup(folder, keys, as_json)


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="A copy that `medtwin backup` made.")],
    keys: Annotated[
        Path | None, typer.Option(help="The copy of the keys, where the home has lost them.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Put a copy back into a home without a store; who was retired since stays retired."""
    from medtwin.commands import copying

    copying.restore(folder, keys, as_json)


@app.command()
def account(
    name: Annotated[str, typer.Argument(help="The log-in name.")],
    role: Annotated[str, typer.Option(help="clinician, researcher, patient or operator.")],
    patient: Annotated[
        str | None, typer.Option(help="The pseudonym, for the role patient.")
    ] = None,
) -> None:
    """Open a log-in for the pages; asks for the password."""
    from medtwin.commands import serving

    serving.account(name, role, patient)


@app.command()
def token(
    name: Annotated[str, typer.Argument(help="What the program is called in the audit.")],
    role: Annotated[str, typer.Option(help="clinician, system, operator or patient.")] = "system",
    patient: Annotated[
        str | None, typer.Option(help="The pseudonym, for the role patient.")
    ] = None,
    scope: Annotated[
        list[str] | None, typer.Option(help="What it may do, such as system/Observation.rs.")
    ] = None,
    basis: Annotated[
        str, typer.Option(help="On what ground what it sends is kept.")
    ] = "sent to the FHIR server",
    grant: Annotated[
        list[str] | None, typer.Option(help="Purposes granted with it, such as care,twin.")
    ] = None,
    days: Annotated[int, typer.Option(help="How long it lasts.", min=1, max=366)] = 30,
) -> None:
    """Let a program in at the FHIR server; prints its token, once."""
    from medtwin.commands import tokens

    scopes = scope or ["system/*.cruds"]
    tokens.issue(name, role, patient, scopes, basis, grant or [], days)


@app.command()
def version(as_json: AsJson = False) -> None:
    """Print the version."""
    from medtwin import __version__

    print(f'{{"version": "{__version__}"}}' if as_json else __version__)  # noqa: T201 - its result


@audit.command("verify")
def audit_verify(as_json: AsJson = False) -> None:
    """Check that every audit line is there and as it was written."""
    from medtwin.commands import accounting

    accounting.verify(as_json)


@audit.command("list")
def audit_list(
    patient: Annotated[str | None, typer.Argument(help="Of one person only.")] = None,
    limit: Annotated[int, typer.Option(help="The newest so many.", min=1)] = 50,
    as_json: AsJson = False,
) -> None:
    """List who did what, newest first."""
    from medtwin.commands import accounting

    accounting.listed(patient, limit, as_json)


def main(words: Sequence[str] | None = None) -> None:
    """Run a command; what went wrong is said in a sentence, with an exit code of its own."""
    try:
        app(words)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as why:  # noqa: BLE001 - the last line of defence: no traceback for people
        from medtwin.commands import failure

        sys.exit(failure.told(why))
