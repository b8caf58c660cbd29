"""Getting to know a person: which heads their own past may teach, and when they begin to count."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from medtwin.care.admission import keep_heads, kept_heads, supported
from medtwin.care.refine import taught
from medtwin.learning.lessons import lesson
from medtwin.record import codes
from medtwin.record.record import moment
from medtwin.twin.heads import speaking
from medtwin.twin.ledger import LedgerEntry
from medtwin.twin.mix import mechanism
from medtwin.vault.consent import Purpose
from medtwin.vault.vault import Vault
from tests.care.test_round import kept
from tests.learning.people import synthetic_person

noon = datetime(2026, 3, 12, 12, tzinfo=UTC)
record = synthetic_person(31, days=9)
both = taught(record)


def entry(by: str, k: int, mean: float) -> LedgerEntry:
    made = noon - timedelta(days=3) + timedelta(minutes=15 * k)
    due = made + timedelta(hours=1)
    quantiles = tuple(np.linspace(mean - 20, mean + 20, 19))
    return LedgerEntry("p", codes.glucose, by, made, due, 60, quantiles, mean, 10.0, 140.0, 1.0)


def test_four_days_teach_a_line_and_nine_days_boosted_trees_too():
    assert [one.head for one in taught(synthetic_person(32, days=4))] == ["ridge_inputs"]
    assert [one.head for one in both] == ["ridge_inputs", "lightgbm_person"]
    assert taught(synthetic_person(33, days=1)) == ()


def test_boosted_trees_taught_in_the_background_speak_in_the_round():
    now = moment(record[codes.glucose].at[-1])
    said = speaking(both[1])(record, now, ())
    assert said.by == "lightgbm_person"
    assert said.horizons == (15, 30, 45, 60, 90, 120)
    near = lesson(record, np.array([now.timestamp()]), (15,)).inputs["glucose"][0]
    assert said.mean[0] == pytest.approx(near, abs=40)
    assert (said.spread > 0).all()


def test_heads_come_back_from_the_vault_as_they_were_kept(tmp_path):
    with Vault.open(tmp_path, clock=lambda: noon) as vault:
        patient = kept(vault, grants=[Purpose.care, Purpose.twin])
        keep_heads(vault, patient, both, noon)
        again = kept_heads(vault, patient)
        assert [one.head for one in again] == ["ridge_inputs", "lightgbm_person"]
        now = moment(record[codes.glucose].at[-1])
        for one, other in zip(both, again, strict=True):
            before, after = (speaking(head)(record, now, ()) for head in (one, other))
            assert np.array_equal(before.mean, after.mean)
        keep_heads(vault, patient, both[:1], noon)
        assert [one.head for one in kept_heads(vault, patient)] == ["ridge_inputs"]


def test_a_head_that_began_to_speak_lately_does_not_count_yet():
    old = [entry(by, k, 130.0) for by in (mechanism, "ridge_inputs") for k in range(200)]
    late = [entry("lightgbm_person", k, 139.0) for k in range(150, 200)]
    assert supported((*old, *late), noon, both).by == (mechanism, "ridge_inputs")
    more = [entry("lightgbm_person", k, 139.0) for k in range(90, 200)]
    assert supported((*old, *more), noon, both).by == (
        mechanism,
        "ridge_inputs",
        "lightgbm_person",
    )
