"""Claims about the HL7 v2 listener, over a real socket and into a real vault."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hl7
import pytest
from anyio.from_thread import start_blocking_portal
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from medtwin.record import codes
from medtwin.vault.access import Principal, Role
from medtwin.vault.consent import Purpose
from medtwin.vault.vault import Vault
from medtwin.web.mllp import listening, secured
from medtwin.web.mllp_desk import Terms

root = Path(__file__).parents[2]
operator = Principal("olga", Role.operator)
clinician = Principal("carla", Role.clinician)
lab = Principal("the listener", Role.system)
PID = "PID|1||17^^^MAIN&1.2.3&ISO^MR||Example^Ada||19800203|F"


def oru(number: str, value: str = "120", ask: str = "", pid: str = PID, minute: int = 0) -> bytes:
    head = rf"MSH|^~\&|LAB|WEST|EHR|EAST|20240501101500+0200||ORU^R01|{number}|P|2.5.1|||{ask}"
    obx = (
        f"OBX|1|NM|2339-0^Glucose^LN||{value}|mg/dL|||||F|||202405010{minute // 60}{minute % 60:02}"
    )
    return f"{head}\r{pid}\r{obx}\r".encode()


class Caller:
    """What a hospital's interface engine does: a frame out, a frame back."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        plain = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.line = tls.wrap_socket(plain, server_hostname="localhost") if tls else plain
        self.rest = b""

    def say(self, raw: bytes) -> None:
        self.line.sendall(b"\x0b" + raw + b"\x1c\r")

    def hear(self) -> hl7.Message:
        while b"\x1c\r" not in self.rest:
            more = self.line.recv(65536)
            if not more:
                raise ConnectionError
            self.rest += more
        raw, _, self.rest = self.rest.partition(b"\x1c\r")
        return hl7.parse(raw.removeprefix(b"\x0b").decode())

    def ask(self, raw: bytes) -> hl7.Message:
        self.say(raw)
        return self.hear()

    def close(self) -> None:
        self.line.close()


def code(answer: hl7.Message) -> tuple[str, str]:
    return str(answer["MSA"][0][1]), str(answer["MSA"][0][2])


@contextmanager
def open_line(home: Path, who: Principal = lab, **changed: object) -> Iterator[tuple[Vault, int]]:
    terms = Terms(who, "treatment", (Purpose.care,), **changed)
    with Vault.open(home) as vault, start_blocking_portal() as portal:
        serving = listening(vault, terms, "127.0.0.1", 0)
        with portal.wrap_async_context_manager(serving) as port:
            yield vault, port


@pytest.fixture
def line(tmp_path):
    with open_line(tmp_path / "home") as (vault, port), closing(Caller(port)) as caller:
        yield vault, caller, port


def glucose(vault: Vault) -> list[float]:
    people = [p.patient for p in vault.patients(operator)]
    records = [vault.record(clinician, p, Purpose.care) for p in people]
    return sorted(v for r in records for v in r[codes.glucose].current.value.tolist())


def test_a_message_is_acknowledged_and_is_in_the_record(line):
    vault, caller, _ = line
    answer = caller.ask(oru("17"))
    assert code(answer) == ("AA", "17")
    assert str(answer["MSH"][0][9]) == "ACK^R01^ACK"
    assert [str(answer["MSH"][0][n]) for n in (3, 4, 5, 6)] == ["EHR", "EAST", "LAB", "WEST"]
    assert glucose(vault) == [120]


def test_the_same_message_again_is_acknowledged_and_adds_nothing(line):
    vault, caller, _ = line
    later = oru("17").replace(b"20240501101500", b"20240501111500")
    assert [code(caller.ask(raw))[0] for raw in (oru("17"), oru("17"), later)] == ["AA"] * 3
    assert vault.patients(operator)[0].facts == 1


def test_a_number_used_again_for_something_else_loses_nothing(line):
    vault, caller, _ = line
    assert code(caller.ask(oru("17"))) == code(caller.ask(oru("17", "180", minute=5)))
    assert glucose(vault) == [120, 180]


@pytest.mark.parametrize(
    ("raw", "verdict", "because"),
    [
        (b"hello", "AR", "a message begins with MSH"),
        (b"MSH|^^\\&|LAB", "AR", "up to six different signs"),
        (oru("9").replace(b"PID|", b"PID^"), "AR", "a segment is three letters"),
        (oru("9", pid=PID.replace("Ada", "Ad\xe9")).replace(b"\xc3\xa9", b"\xe9"), "AR", "utf-8"),
        (oru("9", pid="PID|1"), "AE", "names no patient"),
    ],
)
def test_what_cannot_be_taken_is_answered_with_what_where_and_next(line, raw, verdict, because):
    vault, caller, _ = line
    answer = caller.ask(raw)
    assert code(answer)[0] == verdict
    assert because in str(answer["ERR"][0][7])
    assert str(answer["ERR"][0][8])
    assert glucose(vault) == []
    assert code(caller.ask(oru("10")))[0] == "AA"


def test_an_answer_with_other_letters_than_ascii_names_its_charset(line):
    _, caller, _ = line
    answer = caller.ask(oru("17", "très haut"))
    assert "très haut" in str(answer["ERR"][0][7])
    assert str(answer["MSH"][0][18]) == "UNICODE UTF-8"


def test_a_value_refused_is_said_beside_what_was_taken(line):
    vault, caller, _ = line
    answer = caller.ask(oru("17").rstrip() + b"\rOBX|2|NM|2339-0^Glucose^LN||9|furlong|||||F\r")
    assert code(answer)[0] == "AA"
    (error,) = answer["ERR"]
    assert (str(error[2]), str(error[4])) == ("OBX^2", "W")
    assert "allowed is mg/dL" in str(error[7])
    assert glucose(vault) == [120]


@pytest.mark.parametrize(
    ("ask", "expected"),
    [("AL|AL", ["CA", "AA"]), ("AL|NE", ["CA"]), ("NE|AL", ["AA"]), ("ER|SU", ["AA"])],
)
def test_in_enhanced_mode_the_sender_gets_the_answers_it_asked_for(line, ask, expected):
    _, caller, _ = line
    caller.say(oru("17", ask=ask))
    assert [code(caller.hear()) for _ in expected] == [(e, "17") for e in expected]


def test_a_sender_that_wants_no_answer_gets_none(line):
    vault, caller, _ = line
    caller.say(oru("17", ask="NE|NE"))
    assert code(caller.ask(oru("18", "130", minute=5)))[1] == "18"
    assert glucose(vault) == [120, 130]


def test_many_messages_in_one_breath_are_answered_in_their_order(line):
    vault, caller, _ = line
    for k in range(300):
        caller.say(oru(str(k), minute=k))
    assert [code(caller.hear()) for _ in range(300)] == [("AA", str(k)) for k in range(300)]
    assert len(glucose(vault)) == 300


def test_several_senders_at_once_are_each_answered(line):
    vault, _, port = line
    heard: dict[int, list[str]] = {}

    def sends(who: int) -> None:
        with closing(Caller(port)) as caller:
            raws = [oru(f"{who}-{k}", minute=50 * who + k) for k in range(25)]
            heard[who] = [code(caller.ask(raw))[0] for raw in raws]

    threads = [threading.Thread(target=sends, args=(n,)) for n in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert heard == {n: ["AA"] * 25 for n in range(4)}
    assert len(glucose(vault)) == 100


def test_a_message_of_100_mb_is_answered_and_not_held(tmp_path):
    with open_line(tmp_path / "home") as (_, port), closing(Caller(port)) as caller:
        caller.line.sendall(b"\x0b" + oru("17").rstrip() + b"\rNTE|1||")
        for _ in range(100):
            caller.line.sendall(b"x" * (1 << 20))
        caller.line.sendall(b"\x1c\r")
        answer = caller.hear()
        assert code(answer) == ("AR", "17")
        assert "bytes long; allowed are 16777216" in str(answer["ERR"][0][7])
        assert code(caller.ask(oru("18")))[0] == "AA"


def test_a_message_cut_off_is_not_acknowledged_and_the_next_is_read(line):
    vault, caller, _ = line
    caller.line.sendall(b"noise\x0b" + oru("1")[:80])
    assert code(caller.ask(oru("2"))) == ("AA", "2")
    assert glucose(vault) == [120]


def test_a_connection_over_the_limit_is_turned_away(tmp_path):
    with ExitStack() as stack:
        _, port = stack.enter_context(open_line(tmp_path / "home", connections=1))
        first = stack.enter_context(closing(Caller(port)))
        assert code(first.ask(oru("1")))[0] == "AA"
        second = stack.enter_context(closing(Caller(port)))
        with pytest.raises(ConnectionError):
            second.ask(oru("2"))


def test_what_the_vault_does_not_take_is_not_acknowledged(tmp_path):
    with open_line(tmp_path / "home", clinician) as (_, port), closing(Caller(port)) as caller:
        answer = caller.ask(oru("17"))
    assert code(answer) == ("AE", "17")
    assert "it is not kept (Refused)" in str(answer["ERR"][0][7])
    assert str(answer["ERR"][0][8]) == "send it again later; tell the operator"


def certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    return pem, secret


def test_with_a_certificate_it_speaks_tls(tmp_path):
    pem, secret = certificate(tmp_path)
    terms = Terms(lab, "treatment", (Purpose.care,))
    with Vault.open(tmp_path / "home") as vault, start_blocking_portal() as portal:
        serving = listening(vault, terms, "127.0.0.1", 0, secured(pem, secret))
        with portal.wrap_async_context_manager(serving) as port:
            trusting = ssl.create_default_context(cafile=str(pem))
            with closing(Caller(port, trusting)) as caller:
                assert code(caller.ask(oru("17")))[0] == "AA"
    with Vault.open(tmp_path / "home") as vault:
        assert glucose(vault) == [120]


def test_killed_it_loses_nothing_that_it_acknowledged(tmp_path):
    around = os.environ | {"MEDTWIN_HOME": str(tmp_path / "home"), "PYTHONUNBUFFERED": "1"}
    words = ["listen", "--basis", "treatment", "--grant", "care", "--port", "0"]
    command = [sys.executable, "-c", "from medtwin.cli import main; main()", *words]
    running = subprocess.Popen(command, cwd=root, env=around, stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    said = running.stderr.readline()
    port = int(said.split(" at ")[1].split()[0].rpartition(":")[2])
    acknowledged = []
    with closing(Caller(port)) as caller:
        for k in range(500):
            caller.say(oru(str(k), str(100 + k), minute=k))
        for k in range(60):
            verdict, number = code(caller.hear())
            assert (verdict, number) == ("AA", str(k))
            acknowledged.append(100.0 + k)
        running.send_signal(signal.SIGKILL)
    running.wait(timeout=10)
    running.stderr.close()
    with Vault.open(tmp_path / "home") as vault:
        assert set(acknowledged) <= set(glucose(vault))
