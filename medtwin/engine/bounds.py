"""Whether parameters are those of a body: each inside the bounds that its model file gives."""

from dataclasses import fields
from typing import Any, TypeVar, cast

import numpy as np

from medtwin.engine.model import Model

P = TypeVar("P")


class OutOfBounds(ValueError):
    """A parameter is outside what physiology allows; the message says which and what is."""


def within(model: Model[P], p: P) -> P:
    """The same parameters, each one number or one per member, after a look at their bounds.

    `simulate` itself takes any number, for a search may stray; whoever takes parameters from
    outside looks first. Raises OutOfBounds naming every parameter outside, or not a number.
    """
    wrong = [said for f in fields(cast("Any", p)) if (said := _outside(p, f))]
    if wrong:
        raise OutOfBounds(f"{model.name}: {'; '.join(wrong)}")
    return p


def _outside(p: Any, f: Any) -> str:
    value = np.atleast_1d(np.asarray(getattr(p, f.name), float))
    low, high, unit = f.metadata["low"], f.metadata["high"], f.metadata["unit"]
    bad = np.flatnonzero(~((value >= low) & (value <= high)))
    if not len(bad):
        return ""
    whose = f" (member {bad[0]})" if len(value) > 1 else ""
    allowed = f"{low:g}" if low == high else f"{low:g} to {high:g}"
    return f"{f.name} {value[bad[0]]:g} {unit}{whose}, allowed {allowed}"
