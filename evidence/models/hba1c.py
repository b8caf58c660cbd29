"""HbA1c from glucose: the published line from three papers' rates, and the generated people."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from evidence.models.line import Line
from medtwin.engine.model import sample
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.hospital.generated import founded
from medtwin.hospital.living import live, tomorrow
from medtwin.physiology import hba1c
from medtwin.record import codes

name, days, hospitals, laboratory = "hba1c", 14, 6, 0.2
nathan = {5: 97.0, 6: 126.0, 7: 154.0, 8: 183.0, 9: 212.0, 10: 240.0, 11: 269.0, 12: 298.0}


def lines(shared: Path) -> Iterator[Line]:
    """The steady state, the speed of a change, and r between glucose and HbA1c."""
    p = hba1c.Parameters(usual_glucose=np.array(list(nathan.values())))
    steady = simulate(hba1c.model, p, None, [], [0.0]).of(codes.hba1c)[0]
    off = np.abs(steady - np.array(list(nathan)))
    yield Line(
        *(name, "steady HbA1c from 5 to 10 %, largest distance from the published line"),
        *(
            float(off[:6].max()),
            "%",
            "Nathan 2008 Table 2",
            0.0,
            "at most 0.3",
            bool(off[:6].max() <= 0.3),
        ),
        note=f"at 11 and 12 %: {off[6]:.2f} and {off[7]:.2f}; nothing fitted",
    )
    fell = hba1c.Parameters(usual_glucose=200.0)
    lower = [Given(0.0, codes.glucose, 130.0, np.inf)]
    course = simulate(hba1c.model, fell, None, lower, np.arange(0.0, 1000.0)).of(codes.hba1c)[:, 0]
    half = float(np.argmax(course <= (course[0] + course[-1]) / 2))
    yield Line(
        *(name, "days until half of a change of glucose shows", half, "d"),
        *("Beltran del Rio 2016", 30.0, "25 to 38", 25 <= half <= 38),
    )
    yield from generated()
    yield spread_wide()


def glucose_of(seed: int) -> Any:
    """Each resident's mean glucose, day by day."""
    hospital = founded(16, seed, datetime(2026, 1, 5, tzinfo=UTC))
    bodies, day, means = hospital.bodies, hospital.day, []
    for _ in range(days):
        bodies, lived = live(hospital.people, bodies, day, seed)
        means.append(lived.glucose.mean(axis=0))
        day = tomorrow(day)
    return np.array(means)


def measured(p: Any, daily: Any, rng: np.random.Generator) -> Any:
    """What a laboratory reads at the end, with its own error."""
    given = [Given(float(k), codes.glucose, level, 1.0) for k, level in enumerate(daily)]
    true = simulate(hba1c.model, p, None, given, [0.0, float(days)]).of(codes.hba1c)[1]
    return true + laboratory * rng.standard_normal(true.shape)


def generated() -> Iterator[Line]:
    """The residents of the generated hospital, with the same red cells and with their own."""
    daily = np.concatenate([glucose_of(seed) for seed in range(hospitals)], axis=1)
    average, rng = daily.mean(axis=0), np.random.default_rng(0)
    people = daily.shape[1]
    data = f"synthetic: {people} residents, glucose of {days} days ({average.std():.0f} mg/dL sd)"
    same = hba1c.Parameters(usual_glucose=average)
    own = replace(sample(hba1c.Parameters, people, rng), usual_glucose=average)
    for claim, p in (("the same red cells", same), ("red cells of their own", own)):
        level = measured(p, daily, rng)
        r = float(np.corrcoef(level, average)[0, 1])
        slope, intercept = np.polyfit(level, average, 1)
        yield Line(
            *(name, f"r between mean glucose and HbA1c, generated people with {claim}", r, "1"),
            *("asked", 0.9, "0.9 or more", r >= 0.9, data),
            f"laboratory error {laboratory} %; glucose = {slope:.1f} HbA1c - {-intercept:.1f}",
        )


def spread_wide() -> Line:
    """People with and without diabetes, as many and as different as in the published study."""
    rng = np.random.default_rng(1)
    glucose = np.clip(150.0 * np.exp(0.28 * rng.standard_normal(507)), 80.0, 400.0)
    p = replace(sample(hba1c.Parameters, 507, rng), usual_glucose=glucose)
    level = measured(p, np.repeat(glucose[None], days, axis=0), rng)
    r = float(np.corrcoef(level, glucose)[0, 1])
    return Line(
        *(
            name,
            "r in 507 made people, healthy to badly controlled, red cells of their own",
            r,
            "1",
        ),
        *("Nathan 2008 (R² 0.84)", float(np.sqrt(0.84)), "0.9 or more", r >= 0.9),
        "synthetic: 507 people, glucose 150 mg/dL with a spread of 28 %",
    )
