"""A forecast that stands on little says so."""

from medtwin.record import codes
from medtwin.record.record import Record
from medtwin.twin.footing import thin
from tests.twin.people import at, fact

hours = [fact(5 * k, codes.glucose, 120 + k) for k in range(12)]


def test_a_sensor_and_insulin_are_footing_enough() -> None:
    record = Record("anna").add([*hours, fact(0, codes.insulin_bolus, 3.0)])
    assert thin(record, at(60)) == ()


def test_without_insulin_the_model_is_of_somebody_else() -> None:
    (reason,) = thin(Record("anna").add(hours), at(60))
    assert "no insulin in the record" in reason


def test_one_reading_a_year_is_no_footing() -> None:
    reasons = thin(Record("anna").add(hours[:1]), at(60))
    assert "1 glucose readings in the day before it" in reasons[0]


def test_what_is_measured_later_is_no_footing_now() -> None:
    record = Record("anna").add([*hours, fact(0, codes.insulin_bolus, 3.0)])
    assert thin(record, at(-5))[0].startswith("0 glucose readings")
