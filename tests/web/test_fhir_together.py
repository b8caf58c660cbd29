"""Several programs at once: nothing lost, nothing twice, one winner."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.web import fhir_house as fh

AT_ONCE = 6


@pytest.fixture(scope="module")
def fhir(tmp_path_factory, serve):
    house, server = fh.opened(tmp_path_factory.mktemp("together") / "home", serve)
    yield house
    server.close()
    house.vault.close()


def together(fhir, act):
    """What each of several programs is answered, doing the same at once."""

    def one(number):
        with fhir.client() as client:
            return act(client, number)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, range(AT_ONCE)))


@pytest.fixture(scope="module")
def who(fhir):
    with fhir.client() as client:
        return fh.made(client, fh.patient("Busy"))["id"]


def test_everything_written_at_once_is_found_and_the_audit_is_whole(fhir, who):
    def write(client, number):
        for minute in range(10):
            at = f"2024-01-01T{number:02d}:{minute:02d}:00Z"
            fh.made(client, fh.glucose(f"Patient/{who}", at))

    together(fhir, write)
    with fhir.client() as client:
        found = client.get(f"Observation?patient={who}&_summary=count").json()
    assert found["total"] == 10 * AT_ONCE
    assert fhir.vault.verify().ok


def test_of_several_updates_of_one_version_one_is_kept(fhir, who):
    with fhir.client() as client:
        one = fh.made(client, fh.glucose(f"Patient/{who}", "2020-01-01"))
    address, its_version = f"Observation/{one['id']}", {"if-match": 'W/"1"'}

    def update(client, number):
        changed = fh.glucose(f"Patient/{who}", "2020-01-01", 60 + number, id=one["id"])
        return client.put(address, json=changed, headers=its_version).status_code

    assert sorted(together(fhir, update)) == [200] + [412] * (AT_ONCE - 1)


def test_a_conditional_create_by_several_makes_one(fhir):
    body = fh.patient("Single", identifier=[{"system": "urn:mrn", "value": "single"}])
    condition = {"if-none-exist": "identifier=urn:mrn|single"}

    def create(client, _):
        return client.post("Patient", json=body, headers=condition).status_code

    assert sorted(together(fhir, create)) == [200] * (AT_ONCE - 1) + [201]
