"""HL7's own maps from v2 tables to FHIR R4 codes (HL7/v2-to-FHIR, concept maps)."""

SEX = {"F": "female", "M": "male", "O": "other", "U": "unknown", "A": "other", "N": "other"}
# Table 0085, the status of an observation. B, I, O, R, S, V and U have no FHIR status there.
OBSERVED = {
    "A": "amended",
    "C": "corrected",
    "D": "entered-in-error",
    "F": "final",
    "P": "preliminary",
    "X": "cancelled",
    "W": "entered-in-error",
}
# Table 0123, the status of a report. A, M, N, Y and Z have no FHIR status there.
REPORTED = {
    "O": "registered",
    "I": "registered",
    "S": "registered",
    "P": "preliminary",
    "C": "corrected",
    "R": "partial",
    "F": "final",
    "X": "cancelled",
}
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CLASS_V2 = "http://terminology.hl7.org/CodeSystem/v2-0004"
VISIT_CLASS = {  # table 0004
    "E": (ACT_CODE, "EMER", "emergency"),
    "I": (ACT_CODE, "IMP", "inpatient encounter"),
    "O": (ACT_CODE, "AMB", "ambulatory"),
    "P": (ACT_CODE, "PRENC", "pre-admission"),
    "R": (CLASS_V2, "R", "Recurring patient"),
    "B": (CLASS_V2, "B", "Obstetrics"),
    "C": (CLASS_V2, "C", "Commercial Account"),
    "N": (CLASS_V2, "N", "Not Applicable"),
    "U": (CLASS_V2, "U", "Unknown"),
}
VISIT_STATUS = {
    **dict.fromkeys("EIORBCN", "in-progress"),
    "P": "planned",
    "U": "unknown",
}
EVENT_STATUS = {  # table 0003, what an event says of the visit
    "A01": "in-progress",
    "A02": "in-progress",
    "A03": "finished",
    "A04": "planned",
    "A05": "planned",
    "A08": "unknown",
    "A11": "cancelled",
    "A13": "in-progress",
}
# Not in the maps, by the meaning of the event: cancelled, or deleted as if it had never been.
EVENT_STATUS |= {"A23": "entered-in-error", "A27": "cancelled", "A38": "cancelled"}
ADMISSION = {  # table 0007
    "A": "Accident",
    "E": "Emergency",
    "L": "Labor and Delivery",
    "R": "Routine",
    "N": "Newborn",
    "U": "Urgent",
    "C": "Elective",
}
ALLERGY_CATEGORY = {  # table 0127
    "DA": "medication",
    "FA": "food",
    "EA": "environment",
    "AA": "biologic",
    "PA": "environment",
    "LA": "environment",
}
CRITICALITY = {"SV": "high", "MI": "low"}  # table 0128
SEVERITY = {"SV": "severe", "MO": "moderate", "MI": "mild"}
GIVEN = {"CP": "completed", "RE": "not-done", "NA": "not-done", "PA": "completed"}  # table 0322
BOOKED = {  # table 0278
    "pending": "pending",
    "waitlist": "waitlist",
    "booked": "booked",
    "started": "checked-in",
    "complete": "fulfilled",
    "cancelled": "cancelled",
    "deleted": "entered-in-error",
    "noshow": "noshow",
}
ORDERED = {  # table 0038
    "CA": "revoked",
    "CM": "completed",
    "DC": "revoked",
    "ER": "entered-in-error",
    "HD": "on-hold",
    "IP": "active",
    "RP": "revoked",
    "SC": "active",
}
CONTROLLED = {  # table 0119, where the status itself (ORC-5) is not given
    **dict.fromkeys(("AF", "CA", "HD", "NW", "OK", "PR", "PY", "RL", "RO", "RQ"), "active"),
    **dict.fromkeys(("CR", "DC", "DF", "DR", "OC", "OD"), "revoked"),
    **dict.fromkeys(("HR", "OH"), "on-hold"),
    "FU": "completed",
}
NAME_USE = {  # table 0200
    "BAD": "old",
    "D": "usual",
    "L": "official",
    "M": "maiden",
    "MSK": "anonymous",
    "N": "nickname",
    "NAV": "temp",
    "R": "official",
    "TEMP": "temp",
}
# Table 0396, names of coding systems, to FHIR's addresses (terminology.hl7.org).
SYSTEMS = {
    "LN": "http://loinc.org",
    "SCT": "http://snomed.info/sct",
    "SNM": "http://snomed.info/sct",
    "SNOMED": "http://snomed.info/sct",
    "SNOMED-CT": "http://snomed.info/sct",
    "RXNORM": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "NDC": "http://hl7.org/fhir/sid/ndc",
    "CVX": "http://hl7.org/fhir/sid/cvx",
    "MVX": "http://terminology.hl7.org/CodeSystem/MVX",
    "UCUM": "http://unitsofmeasure.org",
    "I10": "http://hl7.org/fhir/sid/icd-10",
    "I10C": "http://hl7.org/fhir/sid/icd-10-cm",
    "ICD10CM": "http://hl7.org/fhir/sid/icd-10-cm",
    "ICD-10-CM": "http://hl7.org/fhir/sid/icd-10-cm",
    "I9": "http://hl7.org/fhir/sid/icd-9-cm",
    "I9C": "http://hl7.org/fhir/sid/icd-9-cm",
    "I9CDX": "http://hl7.org/fhir/sid/icd-9-cm",
    "C4": "http://www.ama-assn.org/go/cpt",
    "CPT": "http://www.ama-assn.org/go/cpt",
    "ATC": "http://www.whocc.no/atc",
    "CDCREC": "urn:oid:2.16.840.1.113883.6.238",
    "NCIT": "http://ncimeta.nci.nih.gov",
}
