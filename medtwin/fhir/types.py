"""What FHIR R4 says of each type: its elements, their kinds and bounds, and what it descends from.

Read from the generated lines of `r4_types.py`, type by type, when first asked.
https://hl7.org/fhir/R4/structuredefinition.html
"""

from functools import cache
from typing import NamedTuple

from medtwin.fhir.r4_types import ELEMENTS, PARENTS, REGEXES, RESOURCES

RESOURCE_KINDS = frozenset(RESOURCES)
PRIMITIVES = frozenset(REGEXES)
NO_ELEMENTS: "dict[str, Element]" = {}


class Element(NamedTuple):
    """One element: `name` as FHIRPath says it, `kinds` it may have, `targets` of its references."""

    name: str
    least: int
    most: int | None
    kinds: tuple[str, ...]
    targets: dict[str, tuple[str, ...]]
    codes: str
    choice: bool

    @property
    def many(self) -> bool:
        """Whether JSON writes it as an array."""
        return self.most is None or self.most > 1


class Field(NamedTuple):
    """An element under one of its JSON names: `valueQuantity` is `value` as a Quantity."""

    element: Element
    kind: str


@cache
def elements(kind: str) -> dict[str, Element]:
    """The elements of a type by their name in FHIRPath; none for a type we do not know."""
    said = ELEMENTS.get(kind)
    if not said:
        return NO_ELEMENTS
    return {e.name: e for e in map(_element, said.split("; "))}


def _element(line: str) -> Element:
    name, bounds, kinds, *rest = line.split(" ")
    least, _, most = bounds.partition("..")
    split = [_kind(k) for k in kinds.split("|")]
    targets = {k: t for k, t in split if t}
    choice = name.endswith("[x]")
    limit = None if most == "*" else int(most)
    codes = rest[0].removeprefix("@") if rest else ""
    names = tuple(k for k, _ in split)
    return Element(name.removesuffix("[x]"), int(least), limit, names, targets, codes, choice)


def _kind(said: str) -> tuple[str, tuple[str, ...]]:
    name, _, targets = said.partition("(")
    return name, tuple(targets.removesuffix(")").split(",")) if targets else ()


@cache
def fields(kind: str) -> dict[str, Field]:
    """The JSON names of a type, without `_` siblings and `resourceType`."""
    found = {}
    for element in elements(kind).values():
        for one in element.kinds:
            found[json_name(element, one)] = Field(element, one)
    return found


def json_name(element: Element, kind: str) -> str:
    """What JSON calls this element when it has this kind."""
    return element.name + kind[0].upper() + kind[1:] if element.choice else element.name


@cache
def ancestors(kind: str) -> tuple[str, ...]:
    """The type itself and all it descends from."""
    found = [kind]
    while parent := PARENTS.get(found[-1]) or _backbone(found[-1]):
        found.append(parent)
    return tuple(found)


def _backbone(kind: str) -> str:
    if "." not in kind or kind not in ELEMENTS:
        return ""
    owner = kind.partition(".")[0]
    return "BackboneElement" if owner in RESOURCE_KINDS else "Element"


def is_a(kind: str, ancestor: str) -> bool:
    """Whether the type is, or descends from, another."""
    return ancestor in ancestors(kind)
