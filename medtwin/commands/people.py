"""`medtwin patients`, `show`, `consent`, `retire`: who is kept here, and what they agreed to."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from medtwin.commands import house, report
from medtwin.record.codes import Code, Kind
from medtwin.record.person import Person
from medtwin.record.record import Record, Series, moment
from medtwin.vault.access import Role
from medtwin.vault.consent import Purpose


def listed(as_json: bool) -> None:
    """One object per person kept, by pseudonym."""
    with house.vault() as vault:
        people = [_listing(one) for one in vault.patients(house.me(Role.operator))]
    if as_json:
        report.said(people)
        return
    rows = [
        (p["patient"], p["facts"], _day(p["first"]), _day(p["last"]), _granted(p), p["basis"])
        for p in people
    ]
    columns = ("patient", "facts", "first", "last", "granted", "kept on the basis")
    report.table(f"{len(people)} people kept", columns, rows)


def _listing(one: Any) -> dict[str, Any]:
    return {
        "patient": one.patient,
        "basis": one.basis,
        "granted": [str(p) for p, yes in one.grants.items() if yes],
        "facts": one.facts,
        "first": one.first,
        "last": one.last,
        "retired": one.retired,
    }


def _day(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d}"


def _granted(one: dict[str, Any]) -> str:
    if one["retired"]:
        return f"retired {_day(one['retired'])}"
    return ", ".join(one["granted"]) or "nothing"


def show(patient: str, as_json: bool) -> None:
    """What is known of one person: who they are, what they agreed to, the last of each kind."""
    clinician = house.me(Role.clinician)
    with house.vault() as vault:
        person = vault.who(clinician, patient, Purpose.care)
        record = vault.record(clinician, patient, Purpose.care)
        choices = vault.choices(clinician, patient)
    told = {
        "patient": patient,
        "person": {
            "name": person.name,
            "born": person.born,
            "died": person.died,
            "sex": person.sex,
            "identifiers": person.identifiers,
        },
        "consent": {c.purpose: c.yes for c in choices},
        "facts": len(record),
        "latest": [latest(code, record[code]) for code in sorted(record.columns, key=_by_kind)],
    }
    if as_json:
        report.said(told)
    else:
        _tell(person, record, told)


def latest(code: Code, series: Series) -> dict[str, Any]:
    """The last value of one code, with when it was true and how many there are."""
    now = series.current
    says = "" if now.says is None else str(now.says[-1])
    return {
        "code": code.id,
        "name": code.name,
        "kind": code.kind,
        "value": float(now.value[-1]),
        "unit": code.unit,
        "at": moment(float(now.at[-1])),
        "says": says,
        "count": len(now),
        "low": float(np.min(now.value)),
        "high": float(np.max(now.value)),
    }


def _by_kind(code: Code) -> tuple[int, str]:
    return list(Kind).index(code.kind), code.name


def _tell(person: Person, record: Record, told: dict[str, Any]) -> None:
    born = f"born {person.born}" if person.born else "birth date not known"
    died = f", died {person.died:%d %B %Y}" if person.died else ""
    name, sex = person.name or "name not known", person.sex or "sex not known"
    report.out.print(f"[bold]{name}[/bold], {sex}, {born}{died}   ({told['patient']})")
    said = [f"{purpose}: {'yes' if yes else 'no'}" for purpose, yes in told["consent"].items()]
    report.out.print(f"consent: {', '.join(said) or 'never asked'}; {len(record):,} facts")
    for kind in Kind:
        told_so = [one for one in told["latest"] if one["kind"] is kind]
        measured = [_measured(one) for one in told_so if not one["says"]]
        happened = [_happened(one) for one in told_so if one["says"]]
        if measured:
            columns = ("what", "latest", "when", "times", "range")
            report.table(str(kind), columns, measured)
        if happened:
            report.table(str(kind), ("what", "when last", "times"), happened)


def _measured(one: dict[str, Any]) -> Sequence[Any]:
    low, high = report.short(one["low"]), report.short(one["high"])
    spread = "" if low == high else f"{low} to {high}"
    value = f"{report.short(one['value'])} {one['unit']}"
    return one["name"], value, _when(one), one["count"], spread


def _happened(one: dict[str, Any]) -> Sequence[Any]:
    """What it is, and the words of the last time where they say more."""
    said = one["says"] if one["name"] in one["says"] else f"{one['name']}: {one['says']}"
    return said, _when(one), one["count"]


def _when(one: dict[str, Any]) -> str:
    return f"{one['at']:%Y-%m-%d %H:%M}, {_age(one['at'])}"


def _age(at: datetime) -> str:
    """How long ago, in the unit one would say it in.

    >>> from datetime import timedelta
    >>> _age(datetime.now(UTC) - timedelta(days=800))
    '2 years ago'
    """
    minutes = (datetime.now(UTC) - at).total_seconds() / 60
    if minutes < 0:
        return "ahead"
    for size, word in ((525949, "year"), (1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            n = int(minutes // size)
            return f"{n} {word}{'s' if n > 1 else ''} ago"
    return "just now"


def consent(
    patient: str, grant: Sequence[Purpose], withdraw: Sequence[Purpose], as_json: bool
) -> None:
    """Enter choices, if any, then say what holds now and every choice behind it."""
    operator = house.me(Role.operator)
    with house.vault() as vault:
        for purpose in grant:
            vault.choose(operator, patient, purpose, yes=True)
        for purpose in withdraw:
            vault.choose(operator, patient, purpose, yes=False)
        choices = vault.choices(operator, patient)
    holds = {c.purpose: c.yes for c in choices}
    made = [{"purpose": c.purpose, "yes": c.yes, "at": c.at, "by": c.by} for c in choices]
    if as_json:
        report.said({"patient": patient, "holds": holds, "choices": made})
        return
    words = {True: "yes", False: "no", None: "never asked, so no"}
    report.table(f"What {patient} agreed to", ("purpose", "holds now"),
                 [(p, words[holds.get(p)]) for p in Purpose])  # fmt: skip
    rows = [
        (f"{c['at']:%Y-%m-%d %H:%M}", c["purpose"], "yes" if c["yes"] else "no", c["by"])
        for c in made
    ]
    report.table("Every choice", ("when", "purpose", "said", "entered by"), rows)


def retire(patient: str, because: str, as_json: bool) -> None:
    """End a person's data for good, and print the certificate."""
    with house.vault() as vault:
        certificate = vault.retire(house.me(Role.operator), patient, because)
    if as_json:
        report.said({"patient": patient, "certificate": str(certificate)})
    else:
        report.out.print(str(certificate))
