"""One connection per tab: what the ward says, with numbers, so that a lost line is taken up."""

from fastapi import FastAPI


def mount(app: FastAPI) -> None:
    """Give the app its live line."""
