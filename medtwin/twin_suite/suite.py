"""The six tests, held one after the other against one system."""

import importlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from medtwin.twin_suite import (
    ending,
    keeping_score,
    measurement,
    restart,
    two_plans,
    withdrawal,
)
from medtwin.twin_suite.adapter import Adapter
from medtwin.twin_suite.stage import Stage
from medtwin.twin_suite.verdict import Verdict, judged

six = dict(
    zip("abcdef", (measurement, keeping_score, two_plans, restart, withdrawal, ending), strict=True)
)


class NoAdapter(ValueError):
    """What was named is no adapter."""


def held_against(adapter: Adapter, letters: str = "abcdef") -> Iterator[Verdict]:
    """The verdicts in order, each as soon as it is known."""
    for letter in letters:
        yield verdict(letter, adapter)


def verdict(letter: str, adapter: Adapter) -> Verdict:
    """One test in a folder of its own; a system that breaks down has failed it."""
    test = six[letter]
    with tempfile.TemporaryDirectory(prefix="twin-test-") as folder:
        try:
            findings = list(test.found(Stage(adapter, Path(folder))))
        except Exception as why:  # noqa: BLE001 - somebody else's system may raise anything
            return Verdict(letter, test.claim, False, f"{type(why).__name__}: {why}")
    return judged(letter, test.claim, findings)


def named(address: str) -> Adapter:
    """The adapter at "module:name". Raises NoAdapter."""
    place, _, name = address.partition(":")
    try:
        found = getattr(importlib.import_module(place), name)
    except (ImportError, AttributeError, ValueError) as why:
        raise NoAdapter(
            f"no adapter is at {address} ({why}); give module:name of one that Python can import"
        ) from why
    if not isinstance(found, Adapter):
        raise NoAdapter(
            f"{address} is a {type(found).__name__}, not an adapter; it needs name, address, "
            "story and open(home) (docs/twin_suite.md)"
        )
    return cast("Adapter", found)
