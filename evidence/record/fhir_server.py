"""The FHIR server: a million observations counted, one person's everything, the durable import.

The answers are those of the app itself (`GET /fhir/...`), asked in the same process. The million
are 200 invented people's, kept as an import keeps them (sealed names, every index), without the
originals that a count never opens; the person of 5,000 resources is imported whole.
"""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
import orjson
from anyio.from_thread import start_blocking_portal

from evidence.record.figure import Figure, median_seconds
from medtwin.sources import apart
from medtwin.sources.door import received
from medtwin.sources.source import Options
from medtwin.vault import receiving, resources
from medtwin.vault.access import Principal, Role
from medtwin.vault.consent import Purpose
from medtwin.vault.resource_index import indexed, name
from medtwin.vault.resources import Incoming
from medtwin.vault.store import Store
from medtwin.vault.tables import patients
from medtwin.vault.tokens import Bearer
from medtwin.vault.vault import Vault
from medtwin.web.app import build

OPERATOR = Principal("evidence", Role.operator)
PEOPLE, EACH, WHOLE, IMPORTED = 200, 5_000, 5_000, 60_000
START = datetime(2020, 1, 1, tzinfo=UTC)
LOINC = "http://loinc.org"


def figures(shared: Path) -> Iterator[Figure]:
    """Counting, everything, import."""
    with tempfile.TemporaryDirectory() as folder, Vault.open(Path(folder) / "home") as vault:
        fill(vault._store)  # noqa: SLF001  a million at once is not what the door is for
        whole = one_person(vault)
        ask = asking(vault)
        yield _counted(ask, "Observation?_summary=count", "Observations counted", PEOPLE * EACH)
        by_code = f"Observation?code={LOINC}|8867-4&_summary=count"
        yield _counted(ask, by_code, "Observations of one code counted", PEOPLE * EACH // 4)
        yield _everything(ask, whole)
    yield importing(shared / "data/synthea_r4_dev/synthea_r4_dev.tar.xz")


def observation(patient: str, number: int) -> dict[str, Any]:
    """One invented reading."""
    code = ("8867-4", "2339-0", "8310-5", "9279-1")[number % 4]
    at = START + timedelta(minutes=5 * number)
    return {
        "resourceType": "Observation",
        "id": f"{patient}.{number}",
        "status": "final",
        "category": [{"coding": [{"system": "urn:category", "code": "vital-signs"}]}],
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": at.isoformat(),
        "valueQuantity": {"value": 60 + number % 40, "unit": "1", "code": "1"},
    }


def fill(store: Store) -> None:
    """A million readings of 200 people who agreed to care."""
    key = store.keyring.house.digest_key
    names = store.keyring.pseudonyms(f"evidence|{i}" for i in range(PEOPLE))
    ground = receiving.Ground(OPERATOR, "invented", (Purpose.care,))
    for patient in names.values():
        seal = store.seal_of(patient)
        made = [_incoming(key, patient, n) for n in range(EACH)]
        with store.writing() as work:
            row = {"patient": patient, "basis": "invented", "since": work.at, "facts": 0}
            receiving.insert_new(work.connection, patients, [row])
            receiving.grant(work.connection, [patient], ground, work.at)
            resources.keep(work.connection, key, seal, work.at, made)


def _incoming(key: bytes, patient: str, number: int) -> Incoming:
    resource = observation(patient, number)
    index = indexed(key, "Observation", resource, {}, f"Patient/{patient}")
    id_ = resource["id"]
    return Incoming("Observation", id_, name(key, "Observation", id_), b"", {}, index)


def one_person(vault: Vault) -> str:
    """Somebody with 5,000 resources, imported as they would be; their id."""
    person = {"resourceType": "Patient", "id": "whole", "name": [{"family": "Whole"}]}
    lines = [person, *(observation("whole", n) for n in range(WHOLE - 1))]
    sent = b"\n".join(orjson.dumps(line) for line in lines)
    arrived = received("whole.ndjson", sent, Options(received=datetime.now(UTC)))
    vault.receive(OPERATOR, arrived, "invented", (Purpose.care,))
    return "whole"


def asking(vault: Vault) -> Any:
    """GET an address of the server as a service with every right."""
    who = Bearer(Principal("evidence", Role.system), ("system/*.cruds",), "evidence", ())
    token = vault.tokens.issue(who, timedelta(days=1))
    app = build(vault)

    async def asked(path: str) -> httpx.Response:
        there = httpx.ASGITransport(app=app)
        headers = {"authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=there, base_url="http://x/fhir/") as client:
            return await client.get(path, headers=headers)

    def ask(path: str) -> dict[str, Any]:
        with start_blocking_portal() as portal:
            reply = portal.call(asked, path)
        return orjson.loads(reply.content)

    return ask


def _counted(ask: Any, path: str, said: str, expected: int) -> Figure:
    total = ask(path)["total"]
    if total < expected:
        raise RuntimeError(f"{path} counted {total}, not {expected}")
    seconds = median_seconds(lambda: ask(path), 5)
    return Figure(
        said, seconds, "s", 1.0, more_is_better=False, note=f"{total} of them: GET {path}"
    )


def _everything(ask: Any, whole: str) -> Figure:
    path = f"Patient/{whole}/$everything"
    found = len(ask(path)["entry"])
    seconds = median_seconds(lambda: ask(path), 5)
    note = f"{found} resources opened and written as one Bundle"
    return Figure("A person's everything", seconds, "s", 1.0, more_is_better=False, note=note)


def importing(archive: Path) -> Figure:
    """Synthea's bundles read, sealed, indexed and on disk."""
    if not archive.exists():
        raise FileNotFoundError(archive)
    options = Options(received=datetime.now(UTC))
    with tempfile.TemporaryDirectory() as folder, Vault.open(Path(folder) / "home") as vault:
        began = perf_counter()
        arriving = islice(apart.read([archive], options), IMPORTED)
        receipt = vault.receive(OPERATOR, arriving, "Synthea, synthetic", [Purpose.care])
        seconds = perf_counter() - began
    kept = sum(receipt.understood.values()) + sum(receipt.kept.values())
    note = f"{kept} resources of {receipt.people} people, also found and served by the FHIR server"
    return Figure("Durable FHIR import", kept / seconds, "resources/s", 5_000, note=note)
