"""HL7 v2 data types as FHIR's: who, when, which concept, how much.

After HL7's own maps (HL7/v2-to-FHIR, data types). Two things go further than those maps: an
identifier and a local code name the sender who made them up, for two hospitals' 17 are two
people, and units are told apart from their names.
"""

import re
from dataclasses import dataclass
from typing import Any

from medtwin.sources.fhir_words import Resource
from medtwin.sources.hl7v2_parser import Segment, Value
from medtwin.sources.hl7v2_tables import NAME_USE, SYSTEMS

UCUM = "http://unitsofmeasure.org"
# ISO+ (HL7 v2.5.1 table 7-8) is UCUM in one case; these are spelled otherwise.
ISO_PLUS = {"mm(hg)": "mm[Hg]", "cel": "Cel", "iu": "[iU]", "hr": "h", "mas": "s"}


@dataclass(frozen=True)
class Sender:
    """Who sent the message: what their own numbers and codes are called by."""

    name: str

    def system(self, named: str) -> str:
        """The address of a coding system, from its name in table 0396."""
        if named in SYSTEMS:
            return SYSTEMS[named]
        if re.fullmatch(r"HL7\d{4}", named):
            return f"http://terminology.hl7.org/CodeSystem/v2-{named[3:]}"
        if re.fullmatch(r"[0-2](\.\d+)+", named):
            return f"urn:oid:{named}"
        if not named or named == "L" or named.startswith("99"):
            return f"hl7v2:{self.name}"
        return named if ":" in named else f"hl7v2:{named}"

    def authority(self, assigner: Value) -> str:
        """What an identifier's assigning authority (HD) is called."""
        universal, sort = assigner[2], assigner[3]
        if universal and sort == "ISO":
            return f"urn:oid:{universal}"
        if universal and sort == "UUID":
            return f"urn:uuid:{universal}"
        local = universal or assigner[1]
        return f"hl7v2:{self.name}:{local}" if local else f"hl7v2:{self.name}"


def sender(head: Segment) -> Sender:
    """Sending facility (MSH-4), else sending application (MSH-3)."""
    place, program = head[4], head[3]
    return Sender(place[2] or place[1] or program[2] or program[1] or "unnamed")


def concept(value: Value, by: Sender, table: str = "") -> Resource:
    """CE or CWE: up to three codings and the words. `table` is the system where none is named."""
    long = len(value.components)
    codings = [
        _coding(value[a], value[a + 1], value[a + 2] or table, by) for a in (1, 4, 10) if a <= long
    ]
    found: Resource = {}
    if any(codings):
        found["coding"] = [c for c in codings if c]
    elif value[2]:
        found["text"] = value[2]
    if long > 8 and value[9]:
        found["text"] = value[9]
    return found


def _coding(code: str, display: str, system: str, by: Sender) -> Resource:
    if not code:
        return {}
    said = {"system": by.system(system), "code": code}
    return said | {"display": display} if display else said


def spoken(value: Value) -> str:
    """The words of a coded value."""
    return value[9] or value[2] or value[1]


def unit(value: Value) -> Resource:
    """CWE of a unit: UCUM and ISO+ become a code, any other name stays a name."""
    code, words, system = value[1], value[2], value[3]
    if system in ("UCUM", "ISO+", "ISO", "ANS+") and code:
        spelled = ISO_PLUS.get(code.lower(), code) if system != "UCUM" else code
        return {"unit": words or code, "code": spelled, "system": UCUM}
    return {"unit": code or words} if code or words else {}


def number(text: str) -> float | None:
    """A number, where the text is one."""
    try:
        return float(text)
    except ValueError:
        return None


COMPARED = re.compile(r"\s*(<=|>=|<|>)\s*([+-]?\d+(?:\.\d*)?)\s*")


def quantity(text: str, measured_in: Resource) -> Resource:
    """NM: the number as sent, with its comparator where a laboratory put one into it."""
    value = number(text)
    if value is None and (found := COMPARED.fullmatch(text)):
        return {"value": float(found[2]), "comparator": found[1], **measured_in}
    return {"value": text if value is None else value, **measured_in}


def structured(value: Value, measured_in: Resource) -> Resource:
    """SN: a comparator and a number, a range, a ratio; else its words."""
    sign, first, between, second = (value[n] for n in (1, 2, 3, 4))
    one, two = number(first), number(second)
    words = " ".join(p for p in (sign, first, between, second, measured_in.get("unit", "")) if p)
    if one is None or sign == "<>" or between == "+":
        return {"valueString": words}
    said: Resource = {"value": one, **measured_in}
    if between in (":", "/") and two is not None:
        return {"valueRatio": {"numerator": said, "denominator": {"value": two, **measured_in}}}
    if between == "-" and two is not None:
        return {"valueRange": {"low": said, "high": {"value": two, **measured_in}}}
    if sign and sign != "=":
        said["comparator"] = sign
    return {"valueQuantity": said} if not between else {"valueString": words}


def identifier(value: Value, by: Sender) -> Resource:
    """CX: a number, whose it is, what sort."""
    said: Resource = {"system": by.authority(value.within(4)), "value": value[1]}
    if value[5]:
        system = "http://terminology.hl7.org/CodeSystem/v2-0203"
        said["type"] = {"coding": [{"system": system, "code": value[5]}]}
    return said


def name(value: Value) -> Resource:
    """XPN: a person's name."""
    given = [value[n] for n in (2, 3) if value[n]]
    suffix = [value[n] for n in (4, 6, 14) if value[n]]
    said: dict[str, Any] = {"family": value[1], "given": given, "suffix": suffix}
    said |= {"prefix": [value[5]] if value[5] else [], "use": NAME_USE.get(value[7], "")}
    return {k: v for k, v in said.items() if v}


def address(value: Value) -> Resource:
    """XAD: where somebody lives."""
    street = " ".join(p for p in (value.part(1, n) for n in (1, 2, 3)) if p)
    lines = [p for p in (street, value[2], value[19]) if p]
    said: dict[str, Any] = {"line": lines, "city": value[3], "state": value[4]}
    said |= {"postalCode": value[5], "country": value[6], "district": value[9]}
    return {k: v for k, v in said.items() if v}


def telecom(value: Value) -> Resource:
    """XTN: a number as written, else from its parts, else an address for mail."""
    parts = "".join(value[n] for n in (5, 6, 7))
    said = value[1] or value[12] or parts or value[4]
    return {"value": said} if said else {}
