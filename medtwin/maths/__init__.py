"""Numerics, with no medical word in them."""
