"""Thousands of descriptions at once, by splink."""

import importlib.util

import numpy as np
import pytest

from evidence.registers.corrupted import people, second
from medtwin.identity.arrival import Verdict
from medtwin.identity.batch import linked
from medtwin.record.person import Person

extra = pytest.mark.skipif(
    importlib.util.find_spec("splink") is None, reason="splink is the extra [linkage]"
)


@extra
def test_second_descriptions_are_found_among_thousands():
    them = people(3000, 5)
    rng = np.random.default_rng(6)
    again = {f"b{i}": second(them[i], rng) for i in range(1000)}
    found = linked({f"a{i}": p for i, p in enumerate(them)} | again)
    joined = [p for p in found.pairs if p.verdict is Verdict.same]
    right = sum(p.one[1:] == p.other[1:] for p in joined)
    assert right / len(joined) > 0.99
    assert right > 850
    shown = sum(p.one[1:] == p.other[1:] for p in found.review)
    assert right + shown > 960
    assert all(len(group) >= 2 for group in found.groups)


def test_too_few_to_estimate_from_is_said():
    with pytest.raises(ValueError, match="too few"):
        linked({"a": Person(name="Anna Berg")})
