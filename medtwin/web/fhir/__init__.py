"""The FHIR R4 server: the record to programs, under the same consent as the pages."""
