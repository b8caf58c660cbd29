"""A FHIR Patient: who somebody is."""

from datetime import date, datetime

from medtwin.record.person import Person
from medtwin.sources.fhir_words import Resource, Told, joined, spoken, when


def person(resource: Resource, told: Told) -> Person:
    """The person a Patient resource describes."""
    return Person(
        identifiers=identifiers(resource),
        name=named(resource.get("name") or ()),
        born=born(resource.get("birthDate")),
        died=died(resource, told),
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


def born(text: str | None) -> date | None:
    """The birth date; of a partial one, its first day."""
    if not text:
        return None
    year, month, day = (*map(int, text.split("-")), 1, 1)[:3]
    return date(year, month, day)


def died(resource: Resource, told: Told) -> datetime | None:
    """When the person died, where that is told."""
    text = resource.get("deceasedDateTime")
    return when(text, told) if text else None


def _address(address: Resource) -> str:
    if text := address.get("text"):
        return text
    lines = address.get("line") or ()
    return joined(*lines, address.get("city"), address.get("postalCode"), address.get("country"))
