"""Stopping boundaries against rpact and an independent recursion, and against the papers."""

import csv
from collections import defaultdict

import pytest

from medtwin.trials.boundaries import (
    like_obrien_fleming,
    like_pocock,
    obrien_fleming,
    pocock,
    spending,
    spent,
    wang_tsiatis,
)


@pytest.fixture(scope="module")
def designs(vectors):
    found = defaultdict(list)
    with (vectors / "trials" / "gs_bounds.csv").open() as rows:
        for row in csv.DictReader(rows):
            found[row["design_id"]].append(row)
    return [rows for rows in found.values() if len(rows) <= 6]  # more looks only take longer


def named(designs, design):
    chosen = [rows for rows in designs if rows[0]["design"] == design]
    assert chosen
    return chosen


def setting(rows):
    return (
        [float(r["info"]) for r in rows],
        float(rows[0]["alpha"]),
        int(rows[0]["sided"]),
    )


def agree(found, rows, tolerance):
    for z, row in zip(found, rows, strict=True):
        expected = float(row["z_independent"] or row["z_crit"])
        if expected < 6.5:  # beyond it only alpha can be compared (vectors/trials/README)
            assert z == pytest.approx(expected, abs=tolerance), row["design_id"]


@pytest.mark.parametrize(
    ("design", "shape"), [("OF", 0.0), ("P", 0.5), ("WT", 0.25)], ids=["OF", "Pocock", "WT"]
)
def test_boundaries_of_one_constant_agree_with_rpact(designs, design, shape):
    for rows in named(designs, design):
        unequal = rows[0]["param"] == "unequal"
        found = wang_tsiatis(shape, *setting(rows))
        agree(found, rows, 1e-4 if unequal else 2e-6)


def test_spending_boundaries_agree_with_the_independent_recursion(designs):
    for rows in named(designs, "asOF"):
        information, alpha, sides = setting(rows)
        agree(spending(like_obrien_fleming(alpha, sides), information, sides), rows, 2e-6)
    for rows in named(designs, "asP"):
        information, alpha, sides = setting(rows)
        agree(spending(like_pocock(alpha), information, sides), rows, 2e-6)


def test_five_looks_of_pocock_at_five_percent_need_2_413():
    # Pocock 1977, Biometrika 64:191, table 1
    assert pocock([0.2, 0.4, 0.6, 0.8, 1.0], 0.05, 2)[0] == pytest.approx(2.413, abs=5e-4)


def test_five_looks_of_obrien_and_fleming_end_at_2_040():
    # Jennison & Turnbull 2000, table 2.3: C_B(5, 0.05) = 2.040
    assert obrien_fleming([0.2, 0.4, 0.6, 0.8, 1.0], 0.05, 2)[-1] == pytest.approx(2.040, abs=5e-4)


def test_looking_five_times_at_1_96_is_wrong_in_14_percent():
    # Armitage, McPherson & Rowe 1969, table 2: 0.142
    crossed = spent([1.959964] * 5, [0.2, 0.4, 0.6, 0.8, 1.0], 2)
    assert sum(crossed) == pytest.approx(0.142, abs=5e-4)
