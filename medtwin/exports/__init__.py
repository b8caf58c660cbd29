"""Records as other people's tables: views of FHIR, OMOP, MEDS, Parquet, and a whole copy."""
