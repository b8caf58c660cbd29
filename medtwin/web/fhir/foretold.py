"""What this person's twins foretell now: glucose and every organ that is followed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from medtwin.care.organs import brought_up, followed
from medtwin.engine.model import Model
from medtwin.physiology.glucose_living import model as of_glucose
from medtwin.record import codes
from medtwin.twin.forecast import Forecast
from medtwin.vault.access import Refused
from medtwin.vault.consent import Purpose
from medtwin.web.fhir.call import Call
from medtwin.web.page import Visit
from medtwin.web.region import Region
from medtwin.web.twins import NoTwin, looked_ahead, twin_of

AHEAD = timedelta(hours=4)


@dataclass(frozen=True)
class Foretold:
    """One forecast, and the model whose twin made it."""

    model: Model[Any]
    forecast: Forecast


def foretold(call: Call, patient: str) -> tuple[Foretold, ...]:
    """Every forecast for this person; none where they did not agree to a twin."""
    try:
        return tuple(_all(call, patient))
    except Refused:
        return ()


def _all(call: Call, patient: str) -> Iterator[Foretold]:
    if call.now is None:
        return
    who, vault = call.entrant.principal, call.vault
    record = vault.record(who, patient, Purpose.twin, by=call.now)
    if len(record[codes.glucose]):
        yield from _glucose(call, patient)
    for model in followed([c for c in record.columns if len(record[c])]):
        known = brought_up(vault, who, patient, model, call.now)
        yield from (Foretold(model, ahead) for ahead in known.ahead) if known else ()


def _glucose(call: Call, patient: str) -> Iterator[Foretold]:
    assert call.now is not None  # noqa: S101  asked before
    place = {"patient": patient}
    visit = Visit(
        call.vault, None, call.entrant.principal, Region(), call.now, "/fhir", place=place
    )
    try:
        twin = twin_of(visit, patient)
    except NoTwin:
        return
    yield Foretold(of_glucose, looked_ahead(visit, twin, AHEAD))
