import json
import os
import subprocess
import sys
from pathlib import Path

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
