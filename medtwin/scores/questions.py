"""Yes or no questions that scores ask: 1 is yes, 0 is no, and no answer is no answer."""

from collections.abc import Iterable
from datetime import UTC, datetime, time

from medtwin.record import codes
from medtwin.record.codes import Code, Kind
from medtwin.record.observation import Observation
from medtwin.record.person import Person


def _asked(id: str, name: str, *snomed: str) -> Code:  # noqa: A002 - the code's own word for it
    tokens = tuple(f"http://snomed.info/sct|{n}" for n in snomed)
    return Code(id, name, "1", low=0, high=1, kind=Kind.answer, codings=tokens)


female = _asked("female", "female sex")
heart_failure = _asked("heart_failure", "heart failure", "42343007", "84114007", "88805009")
hypertension = _asked("hypertension", "hypertension", "38341003", "59621000")
diabetes = _asked("diabetes", "diabetes", "73211009", "44054006", "46635009")
stroke = _asked("stroke", "earlier stroke, TIA or thromboembolism", "230690007", "266257000")
vascular_disease = _asked(
    "vascular_disease", "vascular disease (infarction, PAD or aortic plaque)", "22298006"
)


def told_by(person: Person, at: datetime) -> Iterable[Observation]:
    """Age and sex as a person's own papers tell them; what they do not tell is not there."""
    if person.born is not None:
        birth = datetime.combine(person.born, time(), UTC)
        years = (at - birth).days / 365.2425
        yield Observation(at, codes.age, years, "date of birth", known=at)
    if person.sex in ("female", "male"):
        yield Observation(at, female, float(person.sex == "female"), "papers", known=at)
