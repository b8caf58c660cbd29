import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from medtwin.vault.access import Principal, Role
from medtwin.vault.consent import Purpose
from medtwin.vault.vault import Vault

root = Path(__file__).parents[2]


def test_nothing_acknowledged_is_lost_when_the_writer_is_killed():
    command = [sys.executable, "evidence/durability.py", "--kills", "3", "--json"]
    around = os.environ | {"PYTHONPATH": str(root)}
    told = subprocess.run(
        command, cwd=root, env=around, capture_output=True, timeout=120, check=True
    )
    found = json.loads(told.stdout)
    assert set(found) == {"import", "live loop"}
    for outcome in found.values():
        assert outcome["kills"] == 3
        assert outcome["acknowledged"] > 0
        assert (outcome["lost"], outcome["half_written"], outcome["broken"]) == (0, 0, 0)


writer = """
import sys
from pathlib import Path
from evidence.durability import arriving, operator
from medtwin.vault import receiving
from medtwin.vault.consent import Purpose
from medtwin.vault.vault import Vault
receiving.batch_originals = 20
with Vault.open(Path(sys.argv[1]), database=sys.argv[2]) as vault:
    told = lambda r: print(r.facts, flush=True)
    vault.receive(operator, arriving(), "invented people", list(Purpose), told)
"""


def test_on_postgresql_too(home, request, serving):
    database = serving.database(request.getfixturevalue("postgresql"))
    command = [sys.executable, "-c", writer, str(home), database]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE) as process:
        first = process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read()
    promised = sum(int(line) for line in (first + rest).split(b"\n")[:-1])
    operator, service = Principal("o", Role.operator), Principal("s", Role.system)
    with Vault.open(home, database=database) as vault:
        people = vault.patients(operator)
        found = [len(vault.record(service, one.patient, Purpose.care)) for one in people]
        assert found == [one.facts for one in people]
        assert sum(found) >= promised >= 100
        assert sum(found) % 100 == 0
        assert vault.verify().ok
