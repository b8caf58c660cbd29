from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from medtwin.record import codes
from medtwin.twin.ledger import LedgerEntry
from medtwin.vault.consent import Purpose

twin = Purpose.twin


@pytest.fixture
def entry(made, admitted):
    patient = admitted(twin)
    return LedgerEntry(
        patient=patient,
        code=codes.glucose,
        by="mechanism",
        made=made.at,
        due=made.at + timedelta(minutes=30, microseconds=7),
        horizon=30.0,
        quantiles=tuple(100 + k / 3 for k in range(19)),
        mean=104.25,
        spread=float(np.pi),
    )


def test_a_forecast_comes_back_to_the_last_bit(vault, door, entry):
    vault.keep_entries(door.system, entry.patient, [entry], twin)
    assert vault.ledger(door.system, entry.patient, twin) == (entry,)


def test_a_scored_forecast_replaces_the_one_that_waited(vault, door, entry):
    vault.keep_entries(door.system, entry.patient, [entry], twin)
    scored = replace(entry, measured=111.0, crps=2.5)
    vault.keep_entries(door.system, entry.patient, [scored], twin)
    assert vault.ledger(door.system, entry.patient, twin) == (scored,)


def test_other_heads_and_horizons_stand_beside_it_in_the_order_they_were_made(vault, door, entry):
    later = replace(entry, made=entry.made + timedelta(minutes=5))
    shown = replace(entry, by="shown")
    vault.keep_entries(door.system, entry.patient, [later, entry, shown], twin)
    assert vault.ledger(door.system, entry.patient, twin) == (entry, shown, later)
    since = vault.ledger(door.system, entry.patient, twin, since=later.made)
    assert since == (later,)


def test_numbers_straight_from_numpy_are_kept_as_numbers(vault, door, entry):
    given = replace(entry, mean=np.float64(1.5))
    vault.keep_entries(door.system, entry.patient, [given], twin)
    (back,) = vault.ledger(door.system, entry.patient, twin)
    assert back.mean == 1.5
    assert type(back.mean) is float
