"""Claims about the vocabulary."""

from medtwin.record import codes
from medtwin.record.units import convert


def test_every_code_is_known_by_its_own_id():
    assert all(name == code.id for name, code in codes.known().items())


def test_no_token_means_two_codes():
    tokens = [t for c in codes.known().values() for t in c.codings]
    assert len(tokens) == len(set(tokens))


def test_bounds_leave_room_for_the_living():
    assert all(c.low < c.high for c in codes.known().values())


def test_the_sickest_survivors_are_plausible():
    survived = {  # value, unit; from case reports named in codes.py
        codes.temperature: (11.8, "Cel"),
        codes.glucose: (1400, "mg/dL"),
        codes.haemoglobin: (0.7, "g/dL"),
        codes.weight: (635, "kg"),
        codes.heart_rate: (300, "/min"),
        codes.sodium: (255, "mmol/L"),
    }
    for code, (value, unit) in survived.items():
        assert code.low <= convert(value, unit, code) <= code.high


def test_a_code_nobody_told_us_of_keeps_its_own_name_and_unit():
    open_code = codes.opened("http://loinc.org|6206-7", "Peanut IgE", "kU/L")
    assert (open_code.name, open_code.unit) == ("Peanut IgE", "kU/L")
    assert open_code.low == float("-inf")


def test_codes_are_the_same_if_their_id_is():
    assert codes.opened("glucose", "sugar", "g/L") == codes.glucose
