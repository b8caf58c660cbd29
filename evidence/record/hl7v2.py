"""How fast HL7 v2 is parsed, read and acknowledged; one core for parsing, a real socket for ACKs.

Beside it in the same run: the `hl7` package on the same messages. Messages are the samples of
`conformance/hl7v2-samples` for parsing; for acknowledgement, generated results of 500 people, sent
to `medtwin listen` in a process of its own, which answers when a message is on disk.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import hl7

from evidence.record.figure import Figure
from medtwin.sources import hl7v2
from medtwin.sources.hl7v2_parser import Message, parsed
from medtwin.sources.source import Options

ROUNDS, PEOPLE, EACH = 20, 500, 2_000
root = Path(__file__).parents[2]


def figures(shared: Path) -> Iterator[Figure]:
    """Parsed, parsed to the last component, turned into facts; acknowledged durably."""
    samples = sorted((shared / "conformance/hl7v2-samples/data/SampleData/Hl7v2").glob("*.hl7"))
    if not samples:
        raise FileNotFoundError("conformance/hl7v2-samples")
    yield from parsing([f.read_bytes() for f in samples])
    yield from acknowledged()


def parsing(raws: Sequence[bytes]) -> Iterator[Figure]:
    """Messages a second, each way, beside the `hl7` package; processor time of one core."""
    texts = [r.decode("utf-8-sig").replace("\r\n", "\r").replace("\n", "\r") for r in raws]
    theirs = _rate(len(texts), 2, lambda: [hl7.parse(t) for t in texts])
    ours = _rate(len(raws), ROUNDS, lambda: [parsed(r) for r in raws])
    deep = _rate(len(raws), ROUNDS // 4, lambda: [every(parsed(r)) for r in raws])
    options = Options(received=datetime.now(UTC))
    facts = _rate(len(raws), 4, lambda: [hl7v2.message(r, "x", options) for r in raws])
    peer, note = "hl7 0.4.5", f"{len(raws)} real messages"
    yield Figure("HL7 v2 parsed", ours, "messages/s", 10_000, peer=peer, peers=theirs, note=note)
    to_the_last = f"{note}; every component of every field read"
    yield Figure(
        "HL7 v2 parsed to the last component",
        deep,
        "messages/s",
        peer=peer,
        peers=theirs,
        note=to_the_last,
    )
    yield Figure("HL7 v2 to facts", facts, "messages/s", note=note)


def every(message: Message) -> int:
    """Read every component of every field of a message; how many there are."""
    count = 0
    for segment in message.segments:
        for field in range(1, len(segment.fields)):
            for value in segment.every(field):
                count += len([value[n] for n in range(1, len(value.components) + 1)])
    return count


def _rate(messages: int, rounds: int, act) -> float:  # noqa: ANN001 - any call
    act()
    began = process_time()
    for _ in range(rounds):
        act()
    return messages * rounds / (process_time() - began)


def acknowledged() -> Iterator[Figure]:
    """Acknowledged when durable: many senders that wait for each answer; one that does not."""
    for name, senders, ahead in (("32 senders, each waiting", 32, 1), ("one sender", 1, 250)):
        with listener() as (port, process):
            _sends(port, [result(k, 9 * EACH + k) for k in range(PEOPLE)], 64)  # who is known
            turns = [range(n, EACH, senders) for n in range(senders)]
            batches = [[result(k % PEOPLE, k) for k in turn] for turn in turns]
            began, worked = perf_counter(), processor(process)
            with ThreadPoolExecutor(senders) as pool:
                good = sum(pool.map(lambda b, a=ahead: _sends(port, b, a), batches))
            rate = good / (perf_counter() - began)
            each = 1e3 * (processor(process) - worked) / max(good, 1)
        waits = "" if ahead == 1 else f", {ahead} messages ahead of their answers"
        waits += f"; {each:.2f} ms of processor time each in the listener" if each else ""
        yield Figure(
            f"HL7 v2 acknowledged durably, {name}",
            rate,
            "messages/s",
            1_000,
            note=f"{good} results of {PEOPLE} people over a socket to SQLite{waits}",
        )


def processor(process: int) -> float:
    """Seconds of processor time a process has had, where the system tells (Linux)."""
    told = Path(f"/proc/{process}/stat")
    if not told.exists():
        return 0.0
    after = told.read_text().rpartition(")")[2].split()
    return (int(after[11]) + int(after[12])) / os.sysconf("SC_CLK_TCK")


def result(person: int, number: int) -> bytes:
    """One laboratory result with three values, as a laboratory sends it (generated)."""
    when = (
        f"2024{1 + number % 12:02}{1 + number // 12 % 28:02}{number // 336 % 24:02}{number % 60:02}"
    )
    lines = [
        rf"MSH|^~\&|LAB|WEST|EHR|EAST|{when}||ORU^R01^ORU_R01|{number}|P|2.5.1",
        f"PID|1||{person}^^^MAIN&1.2.3&ISO^MR||Example^Number {person}||19600101|F",
        f"OBR|1|||24323-8^Comprehensive metabolic panel^LN|||{when}",
        f"OBX|1|NM|2339-0^Glucose^LN||{80 + number % 90}|mg/dL|70-99||||F",
        f"OBX|2|NM|2160-0^Creatinine^LN||{0.6 + number % 9 / 10:.1f}|mg/dL|0.5-1.1||||F",
        f"OBX|3|NM|2951-2^Sodium^LN||{134 + number % 11}|mmol/L|136-145||||F",
    ]
    return "\r".join([*lines, ""]).encode()


def _sends(port: int, messages: Sequence[bytes], ahead: int = 1) -> int:
    """Send them, never more than so many ahead of their answers; how many were AA."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sent, answered, good, held = 0, 0, 0, b""
        while answered < len(messages):
            while sent < len(messages) and sent - answered < ahead:
                line.sendall(b"\x0b" + messages[sent] + b"\x1c\r")
                sent += 1
            held += line.recv(1 << 16)
            *whole, held = held.split(b"\x1c\r")
            answered += len(whole)
            good += sum(b"\rMSA|AA|" in w for w in whole)
    return good


@contextmanager
def listener() -> Iterator[tuple[int, int]]:
    """`medtwin listen` on a store of its own; its port and the number of its process."""
    with TemporaryDirectory() as home:
        around = os.environ | {"MEDTWIN_HOME": home, "PYTHONUNBUFFERED": "1"}
        words = ["listen", "--basis", "measurement", "--grant", "care", "--port", "0"]
        command = [sys.executable, "-c", "from medtwin.cli import main; main()", *words]
        running = subprocess.Popen(command, cwd=root, env=around, stderr=subprocess.PIPE, text=True)
        try:
            said = running.stderr.readline() if running.stderr else ""
            yield int(said.split(" at ")[1].split()[0].rpartition(":")[2]), running.pid
        finally:
            running.terminate()
            running.wait(timeout=10)
            if running.stderr:
                running.stderr.close()
