"""FHIR R4 (4.0.1) itself: its types, its rules, FHIRPath and search, with no meaning of ours."""
