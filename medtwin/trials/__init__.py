"""Experiments on people who do not exist yet."""
