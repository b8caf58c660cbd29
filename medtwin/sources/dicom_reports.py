"""Structured reports: each number in the tree, with what the tree says above it.

A measurement group (TID 1411, 1501) gives finding, site and tracking name to the numbers in it.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from medtwin.sources.dicom_words import coded, measured
from medtwin.sources.readings import Block, Reading

DEEPEST = 64
TRACK = "tracking identifier"


def measurements(said: Any, at: datetime, by: str, block: Block) -> Iterator[Reading]:
    """Every number of the report; text, images and codes by themselves are counted."""
    yield from _inside(said, "", (), (at, by), block)


def _inside(
    item: Any, place: str, above: Sequence[str], told: tuple[datetime, str], block: Block
) -> Iterator[Reading]:
    children = item.get("ContentSequence") or ()
    if place.count("[") > DEEPEST:
        block.refuse(place, f"it is nested over {DEEPEST} deep", "export it again")
        return
    title = coded(item.get("ConceptNameCodeSequence"))[2]
    around = [*above, title, *_context(children)]
    for number, child in enumerate(children):
        where = f"{place}.ContentSequence[{number}]".lstrip(".")
        kind = str(child.get("ValueType") or "")
        if kind == "NUM":
            reading = _number(child, where, around, told)
            if reading is None:
                block.keep("DICOM number without a value")
            else:
                yield reading
        elif kind in ("TEXT", "CODE", "IMAGE", "SCOORD", "SCOORD3D") and not _is_context(child):
            block.keep(f"DICOM report {kind.lower()}")
        yield from _inside(child, where, around, told, block)


def _context(children: Any) -> list[str]:
    """What codes and names beside a number say of it: finding, site, side, tracking name."""
    return [_words(c) for c in children if _is_context(c) and _words(c)]


def _is_context(child: Any) -> bool:
    relation = str(child.get("RelationshipType") or "")
    title = coded(child.get("ConceptNameCodeSequence"))[2].lower()
    named = any(w in title for w in ("finding", "site", TRACK, "laterality", "image mode"))
    return relation in ("HAS CONCEPT MOD", "HAS OBS CONTEXT", "HAS PROPERTIES") or named


def _words(child: Any) -> str:
    if child.get("ValueType") == "CODE":
        return coded(child.get("ConceptCodeSequence"))[2]
    return str(child.get("TextValue") or "")


def _number(
    child: Any, where: str, around: Sequence[str], told: tuple[datetime, str]
) -> Reading | None:
    sequence = child.get("MeasuredValueSequence")
    if not sequence or sequence[0].get("NumericValue") in (None, ""):
        return None
    value = sequence[0].NumericValue
    value = value[0] if isinstance(value, list) or hasattr(value, "append") else value
    unit = coded(sequence[0].get("MeasurementUnitsCodeSequence"))[0]
    unit = "1" if unit in ("", "no units", "{no units}") else unit
    concept = coded(child.get("ConceptNameCodeSequence"))
    own = _context(child.get("ContentSequence") or ())
    code = measured(concept, unit, " ".join([*around, *own]))
    said = [w for w in dict.fromkeys([*around[1:], *own]) if w]
    at, by = told
    # Of one source at one time a record holds one value: each lesion is a source of its own.
    source = ", ".join([by, *said])[:200]
    return Reading(where, at, code, float(value), unit, source, None, ", ".join(said)[:200])
