"""The primitive types of FHIR R4: which JSON values each may have.

https://hl7.org/fhir/R4/datatypes.html#primitive. A check answers None, or what is wrong.
"""

import re
from calendar import monthrange
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from medtwin.fhir.narrative import html_complaint
from medtwin.fhir.r4_types import REGEXES

LONGEST = 1 << 20
KEPT = 100_000  # texts known to be good, so that each is looked at once
Check = Callable[[Any], str | None]
BAD_LETTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
WRITTEN = {kind: re.compile(said).fullmatch for kind, said in REGEXES.items() if said}
BASE64 = re.compile(r"[0-9a-zA-Z+/]*={0,2}")
EXAMPLES = {
    "date": "2015-02-07, 2015-02 or 2015",
    "dateTime": "2015-02-07T13:28:17+02:00, 2015-02-07, 2015-02 or 2015",
    "instant": "2015-02-07T13:28:17.239+02:00",
    "time": "13:28:17",
    "id": "1 to 64 of A-Z a-z 0-9 - .",
    "code": "no space at either end, single spaces within",
    "oid": "urn:oid:1.2.3",
    "uuid": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
    "uri": "no spaces",
    "url": "no spaces",
    "canonical": "no spaces",
}


def text(value: Any) -> str | None:
    """A string or markdown."""
    if type(value) is not str:
        return f"a text in quotes expected, not {_named(value)}"
    if not value or value.isspace():
        return "a text may not be empty"
    if len(value) > LONGEST:
        return f"a text of {len(value)} characters; allowed are {LONGEST}"
    found = BAD_LETTERS.search(value)
    return f"a text may not hold the control character {ord(found[0])}" if found else None


def _named(value: Any) -> str:
    names = {dict: "an object", list: "an array", bool: "true or false", type(None): "null"}
    return names.get(
        type(value), "a number" if isinstance(value, int | float | Decimal) else "a text"
    )


def _shaped(kind: str) -> Check:
    matches = WRITTEN[kind]

    def check(value: Any) -> str | None:
        if type(value) is not str:
            return f"a text in quotes expected, not {_named(value)}"
        if matches(value) and value:
            return None
        return f"'{value[:80]}' is no {kind}: {EXAMPLES[kind]}"

    return check


def _dated(kind: str) -> Check:
    shaped = _shaped(kind)

    def check(value: Any) -> str | None:
        wrong = shaped(value)
        if wrong or len(value) < 10 or value[8:10] <= "28":
            return wrong
        day, last = int(value[8:10]), monthrange(int(value[:4]), int(value[5:7]))[1]
        return f"'{value}' is no {kind}: that month has {last} days" if day > last else None

    return check


URN = re.compile(
    r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|urn:oid:[0-2](\.(0|[1-9]\d*))+"
)
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")


def uri(value: Any) -> str | None:
    """An address; a UUID or OID in it must be one."""
    wrong = _shaped("uri")(value)
    if wrong or not value.startswith(("urn:uuid:", "urn:oid:")) or URN.match(value):
        return wrong
    return f"'{value[:80]}' must be like {EXAMPLES['uuid']} or {EXAMPLES['oid']}"


def absolute(value: Any) -> str | None:
    """An address that begins with what it is: http:, urn:."""
    wrong = uri(value)
    if wrong or SCHEME.match(value):
        return wrong
    return f"'{value[:80]}' must be absolute: with http: or urn:"


def code_system(value: Any) -> str | None:
    """The address of a code system, not of a set of codes."""
    wrong = uri(value)
    if wrong or not value.startswith("http://hl7.org/fhir/ValueSet/"):
        return wrong
    return f"'{value}' is a value set: a Coding names the code system"


def boolean(value: Any) -> str | None:
    """true or false."""
    return None if type(value) is bool else f"true or false expected, not {_named(value)}"


def _whole(kind: str, least: int) -> Check:
    def check(value: Any) -> str | None:
        if type(value) is not int:
            return f"a whole number expected, not {_named(value)}"
        if least <= value < 1 << 31:
            return None
        return f"{value} is no {kind}: from {least} to 2147483647"

    return check


def decimal(value: Any) -> str | None:
    """A number."""
    if isinstance(value, int | float | Decimal) and type(value) is not bool:
        return None
    return f"a number expected, not {_named(value)}"


def base64(value: Any) -> str | None:
    """Bytes in base64, with spaces between if one likes."""
    if type(value) is not str:
        return f"a text in quotes expected, not {_named(value)}"
    plain = "".join(value.split())
    if plain and len(plain) % 4 == 0 and BASE64.fullmatch(plain):
        return None
    return "this is not base64"


def xhtml(value: Any) -> str | None:
    """The div of a narrative."""
    if type(value) is not str:
        return f"a text in quotes expected, not {_named(value)}"
    return html_complaint(value)


CHECKS: dict[str, Check] = {
    "string": text,
    "markdown": text,
    "boolean": boolean,
    "integer": _whole("integer", -(1 << 31)),
    "unsignedInt": _whole("unsignedInt", 0),
    "positiveInt": _whole("positiveInt", 1),
    "decimal": decimal,
    "base64Binary": base64,
    "xhtml": xhtml,
    "date": _dated("date"),
    "dateTime": _dated("dateTime"),
    "instant": _dated("instant"),
    "uri": uri,
    "url": uri,
    "canonical": uri,
    **{k: _shaped(k) for k in ("time", "id", "code", "oid", "uuid")},
    "codeSystem": code_system,
}
# Elements that must say more than their type.
STRICTER = {("Coding", "system"): "codeSystem"}
SYSTEMS = frozenset({("Coding", "system"), ("Identifier", "system"), ("Quantity", "system")})


def format_of(owner: str, name: str, kind: str) -> str:
    """Which check an element of a type undergoes."""
    return STRICTER.get((owner, name), kind)


def loosely_said(owner: str, name: str, kind: str, value: str) -> bool:
    """Whether an address that should begin with http: or urn: does not."""
    if kind != "canonical" and (owner, name) not in SYSTEMS:
        return False
    return value[:1] != "#" and SCHEME.match(value) is None


def quick(kind: str) -> Callable[[Any], bool]:
    """The same as yes or no, remembering the texts it has met."""
    check = CHECKS[kind]
    if kind == "boolean":
        return lambda value: type(value) is bool
    if kind == "decimal":
        return lambda value: type(value) is float or decimal(value) is None
    if kind in {"integer", "unsignedInt", "positiveInt"}:
        return lambda value: check(value) is None
    met: set[str] = set()

    def known(value: Any) -> bool:
        if value in met:
            return True
        if check(value) is not None:
            return False
        if len(value) < 200:
            if len(met) >= KEPT:
                met.clear()
            met.add(value)
        return True

    return known
