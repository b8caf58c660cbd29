"""How long a what-if takes through HTTP, and how long a patient with 10,000 events takes to open.

    python evidence/what_if.py [--json OUT] [--runs 200]

One invented person with 10,000 events (five-minute glucose, hourly basal, meals and boluses) in a
real vault on disk, behind the real app on a port of this machine; the client is another thread of
this process, so both share its cores. Every what-if is another plan, through the session, the
vault's decision, its audit line on disk, the twin and the template. Percentiles are of all runs;
the load of the machine is printed with them. Peer in the same run: the same what-if called
without HTTP, session, vault or page.
"""

import json
import os
import sys
import tempfile
from argparse import ArgumentParser
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from math import sin
from pathlib import Path
from threading import Thread
from time import perf_counter, sleep
from typing import Any

import numpy as np
import uvicorn

sys.path.insert(0, str(Path(__file__).parents[1]))

from medtwin.care.admission import birth_of
from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.record.person import Person
from medtwin.record.record import Record
from medtwin.sources.source import Arrived
from medtwin.twin.assimilate import caught_up
from medtwin.twin.forecast import compare, forecast
from medtwin.vault.access import Principal, Role
from medtwin.vault.consent import Purpose
from medtwin.vault.vault import Vault
from medtwin.web.app import build

EVENTS, PASSWORD = 10_000, "an invented password"
now = datetime(2031, 3, 14, 15, 9, tzinfo=UTC)
operator = Principal("evidence", Role.operator)
TARGET = {"what_if_p95_ms": 300, "opens_ms": 1000}


def invented(events: int) -> tuple[Observation, ...]:
    """The newest so many events of somebody who does not exist."""
    facts: list[Observation] = []
    minute = 0
    while len(facts) < events:
        at = now - timedelta(minutes=minute)
        value = 140 + 50 * sin(minute / 140) + 4 * sin(minute * 1.7)
        facts.append(Observation(at, codes.glucose, value, "sensor", at))
        if minute % 60 == 0:
            until = at + timedelta(hours=1)
            facts.append(Observation(at, codes.insulin_basal, 0.9, "pump", at, until))
        if minute % 360 == 0:
            facts.append(Observation(at, codes.carbohydrate, 50, "pump", at))
            facts.append(Observation(at, codes.insulin_bolus, 5, "pump", at))
        minute += 5
    return tuple(facts[:events])


def kept(home: Path) -> tuple[Vault, str, str]:
    """A vault with that person, their pseudonym, and a clinician's session."""
    vault = Vault.open(home, clock=lambda: now)
    person = Person(identifiers=("evidence|1",), name="Nobody (invented)")
    facts = invented(EVENTS)
    arrived = Arrived(b"invented", "text/plain", "evidence", "evidence|1", person, facts, ())
    vault.receive(operator, [arrived], "invented", (Purpose.care, Purpose.twin))
    vault.accounts.add("clinician", PASSWORD, Role.clinician)
    token = vault.accounts.login("clinician", PASSWORD)
    return vault, vault.patients(operator)[0].patient, token


def served(vault: Vault) -> tuple[uvicorn.Server, int]:
    """The app on a free port of this machine."""
    app = build(vault, clock=lambda: now)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    Thread(target=server.run, daemon=True).start()
    for _ in range(500):
        if server.started:
            break
        sleep(0.02)
    return server, server.servers[0].sockets[0].getsockname()[1]


def asked(port: int, token: str, path: str) -> float:
    """Milliseconds from asking to the last byte; anything but an answer ends the run."""
    line = HTTPConnection("127.0.0.1", port, timeout=120)
    begun = perf_counter()
    line.request("GET", path, headers={"cookie": f"medtwin_session={token}"})
    answer = line.getresponse()
    answer.read()
    took = 1e3 * (perf_counter() - begun)
    line.close()
    if answer.status != 200:
        raise SystemExit(f"{path} answered {answer.status}")
    return took


def alone(runs: int) -> list[float]:
    """The same twin, forecast and comparison in this process, without anything around them."""
    record = Record("peer").add(invented(EVENTS))
    twin = caught_up([birth_of("peer", record, now)], record, now)
    times = [now + timedelta(minutes=5 * k) for k in range(1, 49)]
    took = []
    for i in range(runs):
        dose = Observation(now, codes.insulin_bolus, 0.5 + i % 20 / 2, "plan", now)
        begun = perf_counter()
        forecast(twin, codes.glucose, times)
        compare(twin, codes.glucose, times, (), (dose,))
        took.append(1e3 * (perf_counter() - begun))
    return took


def percentiles(took: list[float]) -> dict[str, float]:
    """Median, p95 and the slowest, in milliseconds."""
    middle, high = np.percentile(took, [50, 95])
    return {"p50": round(middle, 1), "p95": round(high, 1), "slowest": round(max(took), 1)}


def measured(runs: int) -> dict[str, Any]:
    """The whole measurement."""
    with tempfile.TemporaryDirectory() as folder:
        vault, patient, token = kept(Path(folder))
        server, port = served(vault)
        there = f"/patients/{patient}"
        first = asked(port, token, there)  # the twin is born and kept, kernels are loaded
        opens = [asked(port, token, f"{there}?span=all") for _ in range(20)]
        plans = [f"carbohydrate={5 * (i % 30)}&bolus={0.5 + i % 39 / 2:g}" for i in range(runs)]
        one = [asked(port, token, f"{there}/what-if?{plan}") for plan in plans]
        three = "plan=20-0-0&plan=40-4-10&"
        many = [asked(port, token, f"{there}/what-if?{three}{plan}") for plan in plans[: runs // 4]]
        server.should_exit = True
        vault.close()
    peer = percentiles(alone(runs))
    return {
        "command": "python evidence/what_if.py",
        "events": EVENTS,
        "runs": runs,
        "load": round(os.getloadavg()[0], 1),
        "cores": os.cpu_count(),
        "first_open_ms": round(first, 1),
        "opens_ms": percentiles(opens),
        "what_if_ms": percentiles(one),
        "three_plans_ms": percentiles(many),
        "without_http_ms": peer,
        "http_over_alone_p50": round(percentiles(one)["p50"] / peer["p50"], 1),
        "target": TARGET,
    }


if __name__ == "__main__":
    words = ArgumentParser(description=(__doc__ or "").splitlines()[0])
    words.add_argument("--json", type=Path)
    words.add_argument("--runs", type=int, default=200)
    given = words.parse_args()
    found = json.dumps(measured(given.runs), indent=1)
    if given.json:
        given.json.write_text(found + "\n")
    print(found)
