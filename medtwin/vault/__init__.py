"""Keeping: the only door to the store. Consent, keys, audit."""
