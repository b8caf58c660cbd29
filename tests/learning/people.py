"""Synthetic people for the tests of learning: readings, meals and boluses drawn at random."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from medtwin.record import codes
from medtwin.record.codes import Code
from medtwin.record.record import Record, Series

start = datetime(2026, 3, 2, tzinfo=UTC).timestamp()
minute, hour, day = 60.0, 3600.0, 86400.0


def series(at: np.ndarray, value: np.ndarray, known: np.ndarray | None = None, **more) -> Series:
    """A column of one source, told at once unless `known` says otherwise."""
    told = at if known is None else known
    column = Series(at, told, value, np.zeros(len(at), dtype=np.uint16), ("synthetic",), **more)
    return column.keep(np.argsort(column.known, kind="stable"))


def synthetic_person(seed: int, days: int = 4) -> Record:
    """Readings every five minutes with some missing, three meals and a bolus for each."""
    rng = np.random.default_rng(seed)
    at = start + 5 * minute * np.arange(days * 288)
    wave = 140 + 40 * np.sin(2 * np.pi * (at % day) / day)
    value = np.clip(wave + np.cumsum(rng.normal(0, 2, len(at))) * 0.3, 45, 390)
    here = rng.random(len(at)) > 0.05
    meals = start + np.concatenate([d * day + np.array([8, 13, 19]) * hour for d in range(days)])
    grams = rng.uniform(20, 80, len(meals))
    hours = start + hour * np.arange(days * 24)
    says = np.array(["meal", "correction"] * len(meals), dtype=object)
    boluses = np.stack([meals, meals + 90 * minute], axis=1).ravel()
    return Record(
        f"synthetic-{seed}",
        {
            codes.glucose: series(at[here], value[here]),
            codes.carbohydrate: series(meals, grams),
            codes.insulin_bolus: series(boluses, rng.uniform(0.5, 6, len(boluses)), says=says),
            codes.insulin_basal: series(
                hours, rng.uniform(0.5, 1.5, len(hours)), hours + hour, until=hours + hour
            ),
        },
    )


def corrupted(record: Record, after: float, rng: np.random.Generator) -> Record:
    """The same person, with every fact learned after `after` made up, moved and multiplied."""

    def spoilt(code: Code, column: Series) -> Series:
        unknown = column.known > after
        value = np.where(
            unknown, rng.uniform(code.low, min(code.high, 400), len(column)), column.value
        )
        at = np.where(unknown & (column.at > after), column.at + rng.uniform(0, 900), column.at)
        return replace(column, value=value, at=at)

    return Record(record.patient, {c: spoilt(c, s) for c, s in record.columns.items()})
