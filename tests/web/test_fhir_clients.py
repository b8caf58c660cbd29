"""Programs that others wrote read, write, search and page against the running server."""

import json
import shutil
import subprocess
import warnings
from pathlib import Path

import pytest

from tests.web import fhir_house as fh

READINGS = 7


@pytest.fixture(scope="module")
def fhir(tmp_path_factory, serve):
    house, server = fh.opened(tmp_path_factory.mktemp("clients") / "home", serve)
    yield house
    server.close()
    house.vault.close()


@pytest.fixture(scope="module")
def known(fhir):
    """A person with seven readings, and a token."""
    with fhir.client() as ehr:
        who = fh.made(ehr, fh.patient("Known"))["id"]
        for day in range(1, READINGS + 1):
            fh.made(ehr, fh.glucose(f"Patient/{who}", f"2024-01-0{day}", 80 + day))
    return who


def test_fhirpy_writes_reads_searches_pages_and_deletes(fhir, known):
    from fhirpy import SyncFHIRClient
    from fhirpy.base.exceptions import ResourceNotFound

    client = SyncFHIRClient(fhir.address, authorization=f"Bearer {fhir.token(fh.EHR)}")
    person = client.resource("Patient", **fh.patient("Fhirpy"))
    person.save()
    assert client.reference("Patient", person.id).to_resource()["name"][0]["family"] == "Fhirpy"
    person["active"] = True
    person.save()
    assert client.resources("Patient").search(name="fhirpy").first()["active"] is True
    paged = client.resources("Observation").search(patient=known, date__ge="2024-01-02").limit(2)
    assert len(paged.fetch_all()) == READINGS - 1
    assert client.resources("Observation").search(patient=known).count() == READINGS
    raw = client.resources("Observation").search(patient=known).include("Observation", "patient")
    assert "Patient" in {e["resource"]["resourceType"] for e in raw.fetch_raw()["entry"]}
    person.delete()
    with pytest.raises(ResourceNotFound):
        client.reference("Patient", person.id).to_resource()


def test_fhirclient_of_pypi_writes_reads_searches_and_pages(fhir, known):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from fhirclient import client
        from fhirclient.models.observation import Observation
        from fhirclient.models.patient import Patient

        smart = client.FHIRClient(settings={"app_id": "tests", "api_base": fhir.address})
        smart.server.session.headers["Authorization"] = f"Bearer {fhir.token(fh.EHR)}"
        assert smart.server.capabilityStatement.fhirVersion == "4.0.1"
        created = Patient(fh.patient("Fhirclient")).create(smart.server)
        read = Patient.read(created["id"], smart.server)
        assert read.name[0].family == "Fhirclient"
        read.active = True
        assert read.update(smart.server)["active"] is True
        search = Observation.where({"patient": known, "_count": "3", "_sort": "date"})
        values = [o.valueQuantity.value for o in search.perform_resources_iter(smart.server)]
        assert values == [80 + day for day in range(1, READINGS + 1)]
        read.delete()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed here")
def test_curl_writes_reads_and_searches(fhir, known, tmp_path):
    def curl(*words):
        way_in = ["-H", f"Authorization: Bearer {fhir.token(fh.EHR)}"]
        ran = subprocess.run(["curl", "-sS", *way_in, *words], capture_output=True, check=True)
        return json.loads(ran.stdout)

    body = tmp_path / "patient.json"
    body.write_text(json.dumps(fh.patient("Curl")))
    sort = ["-H", "Content-Type: application/fhir+json"]
    made = curl(*sort, "--data-binary", f"@{body}", f"{fhir.address}/Patient")
    assert curl(f"{fhir.address}/Patient/{made['id']}")["name"] == made["name"]
    found = curl("-G", "--data-urlencode", "family=Curl", f"{fhir.address}/Patient")
    assert found["total"] == 1


NODE = """
import * as kits from 'fhir-kit-client';
import smarts from 'fhirclient';
const Kit = kits.default ?? kits.FhirKitClient ?? kits.Client, smart = smarts.default ?? smarts;
const address = process.argv[2], token = process.argv[3], known = process.argv[4];
const patient = {resourceType: 'Patient', name: [{family: 'Node'}], birthDate: '1990-01-01'};
(async () => {
  const told = {};
  const kit = new Kit({baseUrl: address, customHeaders: {Authorization: `Bearer ${token}`}});
  told.version = (await kit.capabilityStatement()).fhirVersion;
  const made = await kit.create({resourceType: 'Patient', body: patient});
  told.read = (await kit.read({resourceType: 'Patient', id: made.id})).name[0].family;
  told.updated = (await kit.update({resourceType: 'Patient', id: made.id,
    body: {...made, active: true}})).active;
  told.patched = (await kit.patch({resourceType: 'Patient', id: made.id,
    jsonPatch: [{op: 'replace', path: '/active', value: false}]})).active;
  let page = await kit.search({resourceType: 'Observation',
    searchParams: {patient: known, _count: 3, _sort: 'date'}});
  told.paged = [];
  while (page) {
    told.paged.push(...page.entry.map(e => e.resource.valueQuantity.value));
    page = await kit.nextPage({bundle: page});
  }
  told.past = (await kit.resourceHistory({resourceType: 'Patient', id: made.id})).total;
  await kit.delete({resourceType: 'Patient', id: made.id});
  told.gone = await kit.read({resourceType: 'Patient', id: made.id})
    .catch(e => e.response.status);
  const client = smart({}, {}).client({serverUrl: address,
    tokenResponse: {access_token: token, token_type: 'bearer'}});
  const own = await client.create({...patient, name: [{family: 'Smart'}]});
  told.smart = (await client.request(`Patient/${own.id}`)).name[0].family;
  const all = await client.request(`Observation?patient=${known}&_count=2`,
    {pageLimit: 0, flat: true});
  told.smart_paged = all.length;
  await client.delete(`Patient/${own.id}`);
  console.log(JSON.stringify(told));
})().catch(e => { console.error(e); process.exit(1); });
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """A folder with both clients of npm in it."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("node and npm are not installed here")
    folder = tmp_path_factory.mktemp("node")
    words = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts",
             "--prefer-offline", "--omit=optional",
             "fhir-kit-client@2", "fhirclient@2"]  # fmt: skip
    try:
        subprocess.run(words, cwd=folder, check=True, capture_output=True, timeout=180)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        pytest.skip("npm cannot fetch fhir-kit-client and fhirclient from here")
    (folder / "asks.mjs").write_text(NODE)
    return folder


@pytest.mark.slow
def test_both_clients_of_npm_write_read_search_and_page(fhir, known, node: Path):
    words = ["node", "asks.mjs", fhir.address, fhir.token(fh.EHR), known]
    ran = subprocess.run(words, cwd=node, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {
        "version": "4.0.1", "read": "Node", "updated": True, "patched": False,
        "paged": [81, 82, 83, 84, 85, 86, 87], "past": 3, "gone": 410,
        "smart": "Smart", "smart_paged": READINGS,
    }  # fmt: skip
