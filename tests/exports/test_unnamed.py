"""Resources as strangers may read them: nobody is named, and what belongs together still does."""

from medtwin.exports.unnamed import Unnamed, moved, shifts

PATIENT = {
    "resourceType": "Patient",
    "id": "17",
    "identifier": [{"system": "urn:house", "value": "9911"}],
    "name": [{"family": "Muster", "given": ["Maria"]}],
    "telecom": [{"value": "+41 1"}],
    "address": [{"line": ["Hof 1"], "country": "CH"}],
    "text": {"status": "generated", "div": "<div>Maria Muster</div>"},
    "birthDate": "1961-04-02",
    "gender": "female",
}
SEEN = {
    "resourceType": "Observation",
    "id": "o1",
    "subject": {"reference": "Patient/17", "display": "Maria Muster"},
    "encounter": {"reference": "Encounter/5"},
    "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7", "display": "Weight"}]},
    "note": [{"text": "Maria says"}],
    "effectiveDateTime": "2026-03-01T10:00:00Z",
}
PLAIN = Unnamed(b"k" * 32, {"Patient/17": "amber-1"})


def test_nothing_that_names_the_person_is_left():
    told = str([PLAIN.resource(PATIENT, "amber-1"), PLAIN.resource(SEEN, "amber-1")])
    for secret in ("Muster", "Maria", "9911", "+41", "Hof", "04-02", "17'", "o1"):
        assert secret not in told
    assert "1961" in told
    assert "female" in told


def test_what_belongs_together_still_does():
    visit = {"resourceType": "Encounter", "id": "5"}
    seen = PLAIN.resource(SEEN, "amber-1")
    assert seen["subject"] == {"reference": "Patient/amber-1"}
    assert seen["encounter"]["reference"] == f"Encounter/{PLAIN.resource(visit, 'amber-1')['id']}"
    assert seen["code"] == SEEN["code"]


def test_addresses_of_a_bundle_lead_to_the_person_too():
    sent = SEEN | {"subject": {"reference": "urn:uuid:1"}}
    found = PLAIN.resource(sent, "amber-1", {"urn:uuid:1": "Patient/17"})
    assert found["subject"]["reference"] == "Patient/amber-1"


def test_dates_move_together_and_never_stay():
    days = shifts(b"x" * 32)
    assert all(days(str(n)) != 0 and abs(days(str(n))) <= 365 for n in range(2000))
    found = Unnamed(b"k", {}, lambda _: -31).resource(SEEN, "amber-1")
    assert found["effectiveDateTime"] == "2026-01-29T10:00:00Z"
    assert moved("2026-03", 5) == "2026-03"
    assert moved("2024-02-28", 1) == "2024-02-29"
