"""Registers of people who do not exist, for the linking of records."""
