"""Figures of the record: how much comes in a second, how large it is, how fast it is read."""
