"""A living digital twin of a patient."""

__version__ = "0.1.0"
