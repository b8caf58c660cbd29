"""The test files of Microsoft's FHIR server: each accepted, or refused for what is wrong with it.

What is wrong with a file that its name does not say was found by reading the file against the
standard; `WRONG` holds it as words that our finding must contain.
"""

from collections.abc import Iterator
from pathlib import Path

from evidence.conformance.suite import Case, Suite
from medtwin.fhir.issue import Issue
from medtwin.fhir.validation import validated

TWICE, UUID, ARRAY, DIV = (
    "FullUrl must be unique",
    "urn:uuid:",
    "is an array",
    "Narrative needs div",
)
WRONG = {
    "Bundle-Batch": TWICE,
    "Bundle-BatchWithConditionalUpdateByIdentifier": "is no uri",
    "Bundle-BatchWithDuplicatedItems": TWICE,
    "Bundle-BatchWithInvalidEleEnums": "no element 'gender1'",
    "Bundle-BinaryPatch": TWICE,
    "Bundle-FhirPatch": TWICE,
    "Bundle-InvalidBundleType": "'invalid-type' is none of",
    "Bundle-MissingIdentifier": UUID,
    "Bundle-TransactionWithConditionalCreateAndReference": "is no uri",
    "Bundle-TransactionWithConditionalUpdateAndReference": "is no uri",
    "Bundle-TransactionWithInvalidBundleEntry": "not JSON",
    "Bundle-TransactionWithInvalidProcessingRecord": UUID,
    "Bundle-TransactionWithMultipleResourcesWithSameFullUrl": TWICE,
    "Bundle-TransactionWithPOSTFullUrlMatchesWithPUTRequestUrl": "must be absolute",
    "Bundle-TypeMissing": "Bundle needs type",
    "Import-DupPatientTemplate": "is no id",
    "Import-InvalidPatient": "",
    "Import-Observation": "is no id",
    "Import-Patient": "is no id",
    "Import-SinglePatientTemplate": "is no id",
    "Includes-TestResources": ARRAY,
    "InvalidCompartmentDefinition": "div of XHTML",
    "InvalidObservation": "an object expected (Narrative)",
    "Medication": "never named (dom-3)",
    "MoneyWithWrongDecimal": "'Money' is no resource",
    "Observation-For-Patient-f001": ARRAY,
    "ObservationWithBloodPressure": ARRAY,
    "ObservationWithInvalidStatus": "'this_is_invalid' is none of",
    "ObservationWithNoCode": "Observation needs code",
    "ObservationWithTemperature": ARRAY,
    "Patient": "is no instant",
    "PatientMissingResourceType": "is no resource",
    "PatientWithUnknownElements": "no element 'name1'",
    "ProvenanceHeader": "needs target",
    "SearchDataBatch": ARRAY,
    "SearchParameter-USCoreIG": "asks Patient, the parameter is of Person",
    "SearchParameterBadSyntax": "does not belong here",
    "SearchParameterInvalidBase": "'foo' is none of",
    "SearchParameterInvalidType": "'foo' is none of",
    "SearchParameterMissingBase": "empty array",
    "SearchParameterMissingExpression": "may not be empty",
    "SearchParameterMissingType": "is no code",
    "Sequence": "msq-5",
    "SmartPatientA": "participant needs status",
    "Specimen": "#hep is not contained",
    "StructureDefinition-us-core-patient-v6": DIV,
    "TokenOverflowChargeItem": "no element 'encounter'",
    "ValidCompartmentDefinition": "div of XHTML",
    "WeightInGrams": DIV,
    "capabilitystatement-example": UUID,
    "devicemetric-example": "not DeviceDefinition",
    "deviceusestatement-example": "not Procedure",
    "eventdefinition-example": "'}' expected",
    "medicinalproductcontraindication-questionnaire": "needs linkId",
    "plandefinition-example": "not XHTML",
    "practitionerrole-questionnaire": "needs linkId",
    "specimendefinition-questionnaire": "needs linkId",
    "structuremap-example": "urn:oid:",
    "terminologycapabilities-example": UUID,
}
OF_STU3 = "a text in quotes expected"
NO_RESOURCE = ("indexes", "ResourceWrapperNoVersion", "LegacyRawReindexJobRecord")


def run(directory: Path) -> Iterator[Case]:
    """Each file, and each line of the bulk files."""
    for path in sorted(directory.rglob("*.*")):
        if path.suffix in {".json", ".xml", ".ndjson"}:
            raw = path.read_bytes()
            for i, one in enumerate(raw.splitlines() if path.suffix == ".ndjson" else [raw]):
                name = f"{path.parent.name}/{path.name}" + (f":{i + 1}" if i else "")
                yield Case(name, *judged(path.stem, path.suffix, validated(one)))


def judged(stem: str, suffix: str, found: list[Issue]) -> tuple[bool, str]:
    """Whether the verdict is right, and for the right reason."""
    said = f"{found[0].path}: {found[0].said}" if found else "valid"
    if any(mark in stem for mark in NO_RESOURCE):
        return bool(found), said
    wrong = OF_STU3 if stem.endswith("Stu3") else WRONG.get(stem)
    if wrong is None or (stem, suffix) == ("Patient", ".xml"):
        return not found, said
    return any(wrong in issue.said for issue in found), said


suite = Suite("ms-fhir-server-testfiles", run)
