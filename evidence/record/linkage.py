"""Linking 30,000 generated records: 20,000 people, half of them described a second time, wrongly.

Synthetic: `evidence/registers/corrupted.py`. Precision is the share of joins that are right, recall
the share of second descriptions joined to their person; what somebody must look at is counted
apart.
"""

from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import numpy as np

from evidence.record.figure import Figure
from evidence.registers.corrupted import people, second
from medtwin.identity.arrival import Known, Verdict, matches
from medtwin.identity.batch import linked
from medtwin.record.person import Person

MANY, AGAIN = 20_000, 10_000


def figures(shared: Path) -> Iterator[Figure]:
    """In batch by splink and one by one at arrival; with kin under one roof, and without."""
    for kin, among in ((0.2, "a fifth of them kin under one roof"), (0.0, "nobody kin")):
        first, again = registers(kin)
        yield from _batch(first, again, among)
        yield from _arrival(first, again, among)


def registers(kin: float) -> tuple[dict[str, Person], dict[str, Person]]:
    """People by number, and second descriptions of half of them by the same number."""
    them = people(MANY, 31, kin)
    rng = np.random.default_rng(32)
    chosen = rng.choice(MANY, AGAIN, replace=False)
    return {f"a{i}": p for i, p in enumerate(them)}, {f"b{i}": second(them[i], rng) for i in chosen}


def _batch(first: dict[str, Person], again: dict[str, Person], among: str) -> Iterator[Figure]:
    began = perf_counter()
    found = linked(first | again)
    took = perf_counter() - began
    joined = [p for p in found.pairs if p.verdict is Verdict.same]
    right = sum(p.one[1:] == p.other[1:] for p in joined)
    shown = sum(p.one[1:] == p.other[1:] for p in found.review)
    note = f"synthetic, {among}; {shown / AGAIN:.3f} more are put before somebody"
    yield Figure("batch, precision", right / max(len(joined), 1), "", 0.999, note=note)
    yield Figure("batch, recall", right / AGAIN, "", 0.97, note=note)
    yield Figure("batch, 30,000 records", took, "s", more_is_better=False, note=among)


def _arrival(first: dict[str, Person], again: dict[str, Person], among: str) -> Iterator[Figure]:
    known = Known()
    for patient, who in first.items():
        known.add(patient, who)
    began = perf_counter()
    answers = {patient: matches(who, known) for patient, who in again.items()}
    took = perf_counter() - began
    joined = [(p, m) for p, found in answers.items() for m in found if m.verdict is Verdict.same]
    right = sum(p[1:] == m.patient[1:] for p, m in joined)
    met = sum(any(p[1:] == m.patient[1:] for m in found) for p, found in answers.items())
    note = f"synthetic, {among}; {(met - right) / AGAIN:.3f} more are put before somebody"
    yield Figure("arrival, precision", right / max(len(joined), 1), "", 0.999, note=note)
    yield Figure("arrival, recall", right / AGAIN, "", 0.97, note=note)
    yield Figure("arrivals compared with 20,000 known", AGAIN / took, "1/s", note=among)
