"""Kill the process that writes, at random moments, and count what it had promised and lost.

    python evidence/durability.py --kills 50 --json

Two writers are killed (SIGKILL) in turn: an import in batches, and a live loop that adds one
reading at a time and keeps the twin's state beside it. Each prints a line when the vault says
that something is kept. After each kill the store is opened again, and every promised fact and
original must be there, nothing may be there by half, and the audit must still be whole. The
people and readings are invented.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.sources.source import Arrived
from medtwin.vault.access import Principal, Role
from medtwin.vault.consent import Purpose
from medtwin.vault.receiving import Receipt
from medtwin.vault.vault import Vault

operator = Principal("durability", Role.operator)
service = Principal("durability", Role.system)
people, facts_each, long_enough = 8, 5, 50_000
start = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Outcome:
    """What one writer lost over all its kills."""

    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    half_written: int = 0
    broken: int = 0


def reading(number: int) -> Observation:
    """The number-th invented glucose reading; no two are alike."""
    at = start + timedelta(minutes=number)
    return Observation(at, codes.glucose, 70 + number % 200, "invented sensor", at)


def arriving() -> Iterator[Arrived]:
    """Originals without end, each with its own readings."""
    for i in range(long_enough):
        facts = tuple(reading(i * facts_each + k) for k in range(facts_each))
        original = json.dumps({"number": i, "filling": "x" * 500}).encode()
        who = f"invented|{i % people}"
        yield Arrived(original, "application/json", f"invented:{i}", who, None, facts, ())


def say(count: int) -> None:
    """A promise: so many are kept."""
    print(count, flush=True)


def importing(home: Path) -> None:
    """A writer that imports until it is killed."""
    done = 0

    def acknowledged(receipt: Receipt) -> None:
        nonlocal done
        done += receipt.originals
        say(done)

    with Vault.open(home) as vault:
        vault.receive(operator, arriving(), "invented people", list(Purpose), acknowledged)


def living(home: Path) -> None:
    """A writer that follows one person, reading by reading, until it is killed."""
    with Vault.open(home) as vault:
        vault.receive(operator, [next(arriving())], "invented people", list(Purpose))
        patient = vault.patients(operator)[0].patient
        for i in range(facts_each, long_enough):
            new = reading(i)
            vault.add(service, patient, [new], Purpose.twin)
            say(i + 1)
            vault.keep(service, f"{i}".encode(), patient, "invented", new.at, Purpose.twin)


def killed(writer: str, home: Path, after: float) -> int:
    """Start a writer, kill it so many seconds after its first promise; what it promised last."""
    command = [sys.executable, __file__, "--writer", writer, "--home", str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        if process.stdout is None:
            raise RuntimeError("the writer has no output to read its promises from")
        first = process.stdout.readline()
        time.sleep(after)
        os.kill(process.pid, signal.SIGKILL)
        rest = process.stdout.read()
    whole = [line for line in (first + rest).split(b"\n")[:-1] if line]
    if not whole:
        raise RuntimeError(f"the writer of the {writer} ended before it promised anything")
    return int(whole[-1])


def after_import(home: Path, promised: int, found: Outcome) -> None:
    """What is there of the promised originals and their facts."""
    with Vault.open(home) as vault:
        numbers: set[int] = set()
        seen: set[datetime] = set()
        for one in vault.patients(operator):
            sent = vault.originals(service, one.patient, Purpose.care)
            numbers |= {json.loads(o)["number"] for o in sent}
            _, facts = vault.news(service, one.patient, Purpose.care, 0)
            seen |= {f.at for f in facts}
            found.half_written += one.facts != len(facts)
        whole = {n for n in range(max(numbers) + 1) if _facts_of(n) <= seen}
        found.acknowledged += promised * facts_each
        found.lost += sum(len(_facts_of(n) - seen) for n in range(promised))
        found.lost += len(set(range(promised)) - numbers)
        found.half_written += len(numbers ^ whole)
        found.broken += not vault.verify().ok


def _facts_of(number: int) -> set[datetime]:
    return {reading(number * facts_each + k).at for k in range(facts_each)}


def after_living(home: Path, promised: int, found: Outcome) -> None:
    """What is there of the promised readings, and whether the twin's state can be read."""
    with Vault.open(home) as vault:
        (one,) = vault.patients(operator)
        _, facts = vault.news(service, one.patient, Purpose.twin, 0)
        seen = {f.at for f in facts}
        found.acknowledged += promised
        found.lost += len({reading(i).at for i in range(promised)} - seen)
        found.half_written += one.facts != len(facts)
        state = vault.checkpoint(service, one.patient, "invented", Purpose.twin)
        found.half_written += state is None and promised > facts_each + 1
        found.broken += not vault.verify().ok


writers = {"import": importing, "live loop": living}
checks = {"import": after_import, "live loop": after_living}


def kills(writer: str, times: int, moments: random.Random) -> Outcome:
    """Kill this writer so many times, each in a new store."""
    found = Outcome()
    for _ in range(times):
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            promised = killed(writer, home, moments.uniform(0.0, 0.8))
            checks[writer](home, promised, found)
            found.kills += 1
    return found


def main() -> None:
    """Kill, look, tell."""
    say_what = argparse.ArgumentParser(description=__doc__)
    say_what.add_argument("--kills", type=int, default=50, help="of each writer")
    say_what.add_argument("--seed", type=int, default=1)
    say_what.add_argument("--json", action="store_true")
    say_what.add_argument("--writer", choices=writers, help=argparse.SUPPRESS)
    say_what.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    asked = say_what.parse_args()
    if asked.writer:
        writers[asked.writer](asked.home)
        return
    moments = random.Random(asked.seed)
    found = {writer: kills(writer, asked.kills, moments) for writer in writers}
    if asked.json:
        print(json.dumps({name: asdict(outcome) for name, outcome in found.items()}))
        return
    for name, outcome in found.items():
        print(name, *(f"{f.name} {getattr(outcome, f.name)}" for f in fields(outcome)), sep="  ")


if __name__ == "__main__":
    main()
