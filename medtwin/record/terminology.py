"""The vocabularies that others speak: whose a token is, and which of our codes it means."""

from collections.abc import Mapping
from functools import cache

from medtwin.record import codes
from medtwin.record.codes import Code

# The addresses by which FHIR R4 names them: https://hl7.org/fhir/R4/terminologies-systems.html
SYSTEMS: Mapping[str, str] = {
    "http://loinc.org": "LOINC",
    "http://snomed.info/sct": "SNOMED CT",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "RxNorm",
    "http://hl7.org/fhir/sid/icd-10-cm": "ICD-10-CM",
    "http://hl7.org/fhir/sid/icd-10": "ICD-10",
    "http://www.whocc.no/atc": "ATC",
    "http://hl7.org/fhir/sid/cvx": "CVX",
    "http://hl7.org/fhir/sid/ndc": "NDC",
    "http://unitsofmeasure.org": "UCUM",
}


def spoken(token: str) -> str:
    """A token as people write it; one from elsewhere stays as it is.

    >>> spoken("http://loinc.org|2339-0")
    'LOINC 2339-0'
    """
    system, _, code = token.partition("|")
    return f"{SYSTEMS[system]} {code}" if system in SYSTEMS else token


def meant(token: str) -> tuple[Code, ...]:
    """Which of our codes this token of another vocabulary means; none where nobody has said."""
    return _by_token().get(token, ())


def same_as(code: Code, system: str) -> tuple[str, ...]:
    """What a code of ours is called in another vocabulary, by its name or its address.

    >>> from medtwin.record import codes
    >>> same_as(codes.hba1c, "LOINC")
    ('4548-4', '17856-6', '59261-8')
    """
    parts = (token.partition("|") for token in code.codings)
    return tuple(c for s, _, c in parts if system in (s, SYSTEMS.get(s)))


@cache
def _by_token() -> Mapping[str, tuple[Code, ...]]:
    found: dict[str, tuple[Code, ...]] = {}
    for code in codes.known().values():
        for token in code.codings:
            found[token] = (*found.get(token, ()), code)
    return found
