"""A vault behind a running FHIR server, and programs that come to it with tokens."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx

from medtwin.vault.access import Principal, Role
from medtwin.vault.consent import Purpose
from medtwin.vault.tokens import Bearer
from medtwin.vault.vault import Vault
from medtwin.web.app import build

EHR = Principal("ehr", Role.system)
CLINICIAN = Principal("dr.lee", Role.clinician)
OPERATOR = Principal("op", Role.operator)
JSON = {"content-type": "application/fhir+json"}
BOTH = (Purpose.care, Purpose.twin)
GLUCOSE = {"coding": [{"system": "http://loinc.org", "code": "2339-0", "display": "Glucose"}]}
UCUM = "http://unitsofmeasure.org"


@dataclass
class House:
    """The vault, where its server listens, and a way in for a principal."""

    vault: Vault
    address: str

    def token(self, principal, scopes=("system/*.cruds",), grants=BOTH):
        bearer = Bearer(principal, tuple(scopes), "treatment contract", tuple(grants))
        return self.vault.tokens.issue(bearer, timedelta(days=1))

    def client(self, principal=EHR, scopes=("system/*.cruds",), grants=BOTH):
        token = self.token(principal, scopes, grants)
        headers = {"authorization": f"Bearer {token}", **JSON}
        return httpx.Client(base_url=f"{self.address}/", headers=headers, timeout=60)


def opened(home: Path, serve):
    vault = Vault.open(home)
    server = serve(build(vault))
    return House(vault, f"{server.address}/fhir"), server


def patient(family="Example", born="1980-02-03", **more):
    name = [{"family": family, "given": ["Ada"]}]
    return {"resourceType": "Patient", "name": name, "birthDate": born, "gender": "female", **more}


def glucose(who, at="2024-03-01T10:00:00Z", value=72.5, **more):
    amount = {"value": value, "unit": "mg/dL", "system": UCUM, "code": "mg/dL"}
    return {
        "resourceType": "Observation", "status": "final", "code": GLUCOSE,
        "subject": {"reference": who}, "effectiveDateTime": at, "valueQuantity": amount, **more,
    }  # fmt: skip


def made(client, resource):
    """Create it, and what the server says it is now."""
    reply = client.post(resource["resourceType"], json=resource)
    assert reply.status_code == 201, reply.text
    return reply.json()


def there(client, address):
    """The ids that a search finds, in its order."""
    bundle = client.get(address).json()
    assert bundle["resourceType"] == "Bundle", bundle
    entries = bundle.get("entry", ())
    return [e["resource"]["id"] for e in entries if e["search"]["mode"] == "match"]
