"""CKD-EPI 2021 against independently recomputed people."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medtwin.record import codes
from medtwin.record.units import convert
from medtwin.scores.ckd_epi import ckd_epi


def test_every_reference_person_filters_as_published(vectors):
    with (vectors / "risk" / "ckd_epi_2021_cr.csv").open() as rows:
        people = list(csv.DictReader(rows))
    assert len(people) == 60
    for person in people:
        creatinine = convert(
            float(person["creatinine"]), person["creatinine_unit"], codes.creatinine
        )
        found = ckd_epi(creatinine, float(person["age"]), float(person["sex"] == "female"))
        assert found.value == pytest.approx(float(person["expected"]), rel=1e-5), person


@given(st.floats(0.2, 15), st.floats(18, 100), st.sampled_from([0.0, 1.0]))
def test_more_creatinine_never_means_better_kidneys(creatinine, age, female):
    here, higher = ckd_epi(creatinine, age, female), ckd_epi(creatinine * 1.1, age, female)
    assert higher.value < here.value
