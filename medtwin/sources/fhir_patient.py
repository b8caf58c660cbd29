"""A FHIR Patient: who somebody is."""

from datetime import date, datetime, timedelta

from medtwin.record.person import Person
from medtwin.sources.fhir_words import NotUnderstood, Resource, Told, joined, spoken, when


def person(resource: Resource, told: Told) -> tuple[Person, list[str]]:
    """The person a Patient resource describes, and which of its dates cannot be read."""
    doubts: list[str] = []
    birth = death = None
    try:
        birth = born(resource.get("birthDate"), told)
    except (ValueError, TypeError, AttributeError) as why:
        doubts.append(f"the birth date is left out: {why}")
    try:
        death = died(resource, told)
    except (ValueError, TypeError, AttributeError) as why:
        doubts.append(f"the date of death is left out: {why}")
    return _described(resource, birth, death), doubts


def _described(resource: Resource, birth: date | None, death: datetime | None) -> Person:
    return Person(
        identifiers=identifiers(resource),
        name=named(resource.get("name") or ()),
        born=birth,
        died=death,
        sex=resource.get("gender", ""),
        contact=tuple(c["value"] for c in resource.get("telecom") or () if c.get("value")),
        address=tuple(_address(a) for a in resource.get("address") or ()),
        language=next((spoken(c.get("language")) for c in resource.get("communication") or ()), ""),
    )


def identifiers(resource: Resource) -> tuple[str, ...]:
    """Every identifier as `system|value`."""
    known = resource.get("identifier") or ()
    return tuple(f"{i.get('system', '')}|{i['value']}" for i in known if i.get("value"))


def named(names: tuple[Resource, ...] | list[Resource]) -> str:
    """The name to call somebody by: the usual or official one before an old one."""
    order = {"usual": 0, "official": 1, None: 2, "old": 9, "maiden": 9}
    name = min(names, key=lambda n: order.get(n.get("use"), 3), default={})
    if text := name.get("text"):
        return text
    return " ".join(
        [*name.get("prefix", ()), *name.get("given", ()), name.get("family", "")]
    ).strip()


def born(text: str | None, told: Told) -> date | None:
    """The birth date; of a partial one, its first day. Nobody is born after we hear of it."""
    if not text:
        return None
    try:
        year, month, day = (*map(int, text.split("-")), 1, 1)[:3]
        birth = date(year, month, day)
    except ValueError:
        raise NotUnderstood(f"{text!r} is not a date; allowed is year-month-day") from None
    if birth > (told.received + timedelta(days=1)).date():
        raise NotUnderstood(f"birth date {text} lies in the future")
    return birth


def died(resource: Resource, told: Told) -> datetime | None:
    """When the person died, where that is told."""
    text = resource.get("deceasedDateTime")
    return when(text, told) if text else None


def _address(address: Resource) -> str:
    if text := address.get("text"):
        return text
    lines = address.get("line") or ()
    return joined(*lines, address.get("city"), address.get("postalCode"), address.get("country"))
