"""Reading in another process gives what reading here gives, or fails as it would."""

from datetime import UTC, datetime
from itertools import islice

import orjson
import pytest

from medtwin.sources import apart, door
from medtwin.sources.source import Options
from medtwin.sources.zones import UnknownZone

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def delivery(tmp_path):
    """Five hundred readings of one person, in lines."""
    person = {"resourceType": "Patient", "id": "a", "name": [{"family": "Apart"}]}
    reading = {
        "resourceType": "Observation", "status": "final", "subject": {"reference": "Patient/a"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "2339-0"}]},
        "effectiveDateTime": "2024-01-01T00:00:00Z",
    }  # fmt: skip
    amount = {"unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"}
    lines = [
        person,
        *({**reading, "valueQuantity": {**amount, "value": v}} for v in range(40, 540)),
    ]
    path = tmp_path / "delivery.ndjson"
    path.write_bytes(b"\n".join(map(orjson.dumps, lines)))
    return path


def test_what_arrives_is_the_same_whichever_process_reads_it(delivery):
    options = Options(NOW)
    assert list(apart.elsewhere([delivery], options)) == list(door.read([delivery], options))
    assert list(apart.read([delivery], options)) == list(door.read([delivery], options))


def test_who_stops_listening_ends_the_reading(delivery):
    heard = apart.elsewhere([delivery], Options(NOW))
    assert len(list(islice(heard, 3))) == 3
    heard.close()


def test_what_the_reader_raises_is_raised_here(delivery):
    with pytest.raises(UnknownZone):
        list(apart.elsewhere([delivery], Options(NOW, zone="Nowhere/Land")))
