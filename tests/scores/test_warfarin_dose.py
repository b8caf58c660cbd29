"""The consortium's weekly dose of warfarin: worked by hand from its coefficients."""

from datetime import UTC, datetime

import pytest

from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.record.record import Record
from medtwin.scores import warfarin_dose
from medtwin.scores.score import Estimate, Unknown, apply

noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
answers = {
    codes.age: 74.0,
    codes.height: 165.0,
    codes.weight: 60.0,
    codes.cyp2c9_2: 1.0,
    codes.cyp2c9_3: 0.0,
    codes.vkorc1_a: 1.0,
    warfarin_dose.asian: 0.0,
    warfarin_dose.black: 0.0,
    warfarin_dose.inducer: 0.0,
    warfarin_dose.amiodarone: 1.0,
}


def record(told):
    return Record("anna").add([Observation(noon, c, v, "test", noon) for c, v in told.items()])


def test_a_woman_of_74_on_amiodarone_with_weak_alleles_needs_little():
    # 5.6044 - 7 x 0.2614 + 165 x 0.0087 + 60 x 0.0128 - 0.8677 - 0.5211 - 0.5503 = 4.039
    answer = apply(warfarin_dose.score, record(answers), noon)
    assert isinstance(answer, Estimate)
    assert answer.value == pytest.approx(4.039**2, rel=1e-4)
    assert answer.because["amiodarone"] == -0.5503


def test_an_unknown_genotype_is_no_dose():
    told = {c: v for c, v in answers.items() if c != codes.vkorc1_a}
    assert apply(warfarin_dose.score, record(told), noon) == Unknown(missing=(codes.vkorc1_a,))


def test_three_cyp2c9_alleles_are_refused():
    with pytest.raises(ValueError, match="two at most"):
        warfarin_dose.pharmacogenetic(60, 170, 70, 2, 1, 0, 0, 0, 0, 0)


def test_the_clinical_algorithm_by_hand():
    # 4.0376 - 6 x 0.2546 + 175 x 0.0118 + 80 x 0.0134 = 5.647
    assert warfarin_dose.clinical(60, 175, 80, 0, 0, 0, 0).value == pytest.approx(5.647**2, 1e-4)


def test_more_weak_alleles_never_need_a_higher_dose():
    for pair in ((0, 0), (1, 0), (0, 1)):
        doses = [
            warfarin_dose.pharmacogenetic(60, 170, 70, *pair, a, 0, 0, 0, 0).value
            for a in (0, 1, 2)
        ]
        assert doses == sorted(doses, reverse=True)
