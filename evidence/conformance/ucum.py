"""UCUM's functional tests: units read or refused, values converted, units multiplied.

Conversions are compared at the number of digits the suite gives, at most twelve.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  it ships no types

from evidence.conformance.suite import Case, Suite
from medtwin.fhir.quantities import Quantity, canonical, times, to_unit

Row = Mapping[str, str]


def run(directory: Path) -> Iterator[Case]:
    """Every case of the suite that has an answer in numbers."""
    for path in sorted(directory.rglob("UcumFunctionalTests*.xml")):
        for case in etree.parse(path).getroot().iter("case"):
            ask = ASKED.get(case.getparent().tag)
            if ask is not None:
                yield Case(case.get("id"), *ask(case.attrib))


def valid(row: Row) -> tuple[bool, str]:
    """Whether a unit is one exactly where it should be."""
    read = canonical(row["unit"]) is not None
    said = "is a unit" if read else "is none"
    return read == (row["valid"] == "true"), f"'{row['unit']}' {said}"


def converted(row: Row) -> tuple[bool, str]:
    """Whether a value becomes the one given."""
    found = to_unit(Quantity(Decimal(row["value"]), row["srcUnit"]), row["dstUnit"])
    said = f"{row['value']} {row['srcUnit']} is {found} and should be {row['outcome']}"
    return found is not None and alike(found.value, Decimal(row["outcome"])), said


def multiplied(row: Row) -> tuple[bool, str]:
    """Whether a product has the value and the unit given."""
    product = times(
        Quantity(Decimal(row["v1"]), row["u1"]), Quantity(Decimal(row["v2"]), row["u2"])
    )
    found = product and to_unit(product, row["uRes"])
    return found is not None and alike(found.value, Decimal(row["vRes"])), f"{found}"


def alike(found: Decimal, wanted: Decimal) -> bool:
    """Whether two values agree in the digits that the second has, at most twelve."""
    last = max(int(wanted.normalize().as_tuple().exponent), wanted.adjusted() - 11)
    return abs(found - wanted) <= Decimal(5).scaleb(last - 1)


ASKED = {"validation": valid, "conversion": converted, "multiplication": multiplied}
suite = Suite("ucum", run)
