"""Claims about units. Expected values are by hand from molar masses or published equations."""

import math
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medtwin.record import codes
from medtwin.record.codes import Code
from medtwin.record.units import UnknownUnit, convert

WORKED = [
    # value, unit, code, expected, tolerance
    (5.5, "mmol/L", codes.glucose, 99.086, 1e-3),  # x 18.0156
    (88.4, "umol/L", codes.creatinine, 1.0, 1e-3),
    (88.4, "µmol/L", codes.creatinine, 1.0, 1e-3),
    (2.5, "mmol/L", codes.calcium, 10.02, 1e-2),
    (5.0, "meq/L", codes.calcium, 10.02, 1e-2),  # two charges
    (140, "mEq/L", codes.sodium, 140, 1e-9),
    (5.2, "mmol/L", codes.cholesterol, 201.06, 1e-2),
    (1.7, "mmol/L", codes.triglycerides, 150.5, 0.1),
    (7.5, "mmol/L", codes.urea_nitrogen, 21.01, 1e-2),  # urea mmol/L x 2.8
    (9.0, "mmol/L", codes.haemoglobin, 14.5, 1e-2),
    (48, "mmol/mol", codes.hba1c, 6.5, 0.05),  # NGSP: 48 mmol/mol is 6.5 %
    (3.0, "mg/mmol", codes.albumin_creatinine, 26.5, 0.1),
    (98.6, "[degF]", codes.temperature, 37.0, 1e-9),
    (98.6, "°F", codes.temperature, 37.0, 1e-9),
    (310.15, "K", codes.temperature, 37.0, 1e-9),
    (16, "kPa", codes.systolic, 120.01, 1e-2),
    (120, "mmHg", codes.systolic, 120, 1e-9),
    (72, "bpm", codes.heart_rate, 72, 1e-9),
    (72, "{beats}/min", codes.heart_rate, 72, 1e-9),
    (7, "K/uL", codes.leukocytes, 7, 1e-9),
    (7, "10*9/L", codes.leukocytes, 7, 1e-9),
    (150, "lbs", codes.weight, 68.0389, 1e-3),
    (70, "[in_i]", codes.height, 177.8, 1e-9),
    (800, "mU/h", codes.insulin_basal, 0.8, 1e-12),
    (5, "[IU]", codes.insulin_bolus, 5, 1e-12),
    (30, "IU/L", codes.alt, 30, 1e-12),
    (90, "mL/min", codes.egfr, 90, 1e-12),
    (0.065, "1", codes.hba1c, 6.5, 1e-9),
    (120, "mg/dl", codes.glucose, 120, 1e-12),
]


@pytest.mark.parametrize(("value", "unit", "code", "expected", "near"), WORKED)
def test_what_people_send_becomes_the_unit_of_the_code(value, unit, code, expected, near):
    assert convert(value, unit, code) == pytest.approx(expected, abs=near)


@pytest.mark.parametrize("unit", ["furlong", "kg", "", "mmol", "mg/dL/h", "{what}/dL"])
def test_a_unit_that_cannot_be_glucose_is_refused_with_what_is_allowed(unit):
    with pytest.raises(UnknownUnit, match=r"allowed is mg/dL.*say which unit"):
        convert(5, unit, codes.glucose)


def test_equivalents_are_refused_where_the_charge_is_not_known():
    with pytest.raises(UnknownUnit):
        convert(1, "meq/L", codes.phosphate)


@given(st.sampled_from([w[1:3] for w in WORKED]), st.floats(0.1, 1000), st.floats(0.1, 1000))
def test_conversion_is_a_straight_line(unit_and_code, a, b):
    unit, code = unit_and_code
    middle = convert((a + b) / 2, unit, code)
    assert middle == pytest.approx((convert(a, unit, code) + convert(b, unit, code)) / 2)


@given(st.floats(1, 40))
def test_there_and_back_is_the_same_glucose(value):
    millimolar = Code("glucose, molar", "glucose", "mmol/L", molar_mass=180.156)
    there = convert(value, "mmol/L", codes.glucose)
    assert convert(there, "mg/dL", millimolar) == pytest.approx(value)


def test_units_cost_nothing_until_one_has_to_be_worked_out():
    said = "import sys, medtwin.record.units, medtwin.sources.fhir; print('pint' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"


def test_every_code_of_the_vocabulary_takes_its_own_unit_as_it_is():
    for code in codes.known().values():
        assert convert(3.25, code.unit, code) == 3.25


def test_the_ucum_conversion_tests_agree(shared):
    path = shared / "conformance/ucum/src/test/resources/UcumFunctionalTests.2.xml"
    wrong = []
    for case in ET.parse(path).getroot().find("conversion"):
        said = case.attrib
        target = Code(f"ucum {said['dstUnit']}", "x", said["dstUnit"])
        try:
            ours = convert(float(said["value"]), said["srcUnit"], target)
        except UnknownUnit:
            wrong.append(said)
            continue
        if not math.isclose(ours, float(said["outcome"]), rel_tol=0.02):
            wrong.append(said)
    assert [(w["srcUnit"], w["dstUnit"]) for w in wrong] == OF_THE_SUITE
    # The suite's outcomes have two to six digits, hence the tolerance.


# 6.3 s/m/mg is 6300 s/m/g, not 0.0063; and s/4.m reads from left to right (UCUM, section 2.2).
OF_THE_SUITE = [("s/m/mg", "s.m-1.g-1"), ("s/4.m", "s/m")]
