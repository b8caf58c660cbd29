"""Where messages wait to be kept: many in one transaction, each with its verdict afterwards."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

from medtwin.sources import hl7v2
from medtwin.sources.door import People, plausible
from medtwin.sources.hl7v2_parser import Unreadable, parsed
from medtwin.sources.source import Arrived, Options, Refusal
from medtwin.vault.access import Principal, Refused
from medtwin.vault.consent import Purpose
from medtwin.vault.dialect import Busy, NoStore
from medtwin.vault.vault import Vault
from medtwin.web.mllp_answers import Verdict, body

log = logging.getLogger(__name__)
AT_ONCE = 256  # messages kept in one transaction
GATHER = 0.004  # seconds to wait for more, where several came together before
WAITING = 64 << 20  # bytes of messages that may wait; senders are read no faster
AGAIN = 4096  # messages remembered, to know them when they are sent again


def now() -> datetime:
    """The time it is."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Terms:
    """On whose behalf and on what basis messages are kept; how much of them at a time."""

    principal: Principal
    basis: str
    grants: tuple[Purpose, ...] = ()
    zone: str | None = None
    largest: int = 16 << 20  # bytes of one message
    connections: int = 32
    patience: float = 60.0  # seconds that a message once begun may take to come
    clock: Callable[[], datetime] = now


@dataclass(frozen=True)
class Frame:
    """A message as it came; `size` is its length, of which `raw` may be only the beginning."""

    raw: bytes
    size: int


@dataclass
class Desk:
    """Where messages wait to be kept, together. Life: `open` to the end of its task."""

    vault: Vault
    terms: Terms
    waiting: asyncio.Queue[tuple[Frame, "asyncio.Future[Verdict]"]] = field(
        default_factory=lambda: asyncio.Queue(AT_ONCE)
    )
    again: OrderedDict[bytes, Verdict] = field(default_factory=OrderedDict)
    room: asyncio.Condition = field(default_factory=asyncio.Condition)
    size: int = 0

    async def take(self, frame: Frame) -> "asyncio.Future[Verdict]":
        """Queue a message; waits while too much is queued. The future is its verdict."""
        answer: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        async with self.room:
            await self.room.wait_for(lambda: self.size < WAITING)
            self.size += len(frame.raw)
        await self.waiting.put((frame, answer))
        return answer

    async def work(self) -> None:
        """Keep what waits, until cancelled."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "mllp") as thread:
            held = []
            while True:
                several = len(held) > 1
                held = [await self.waiting.get()]
                if several:  # senders that were answered together speak again together
                    await asyncio.sleep(GATHER)
                while len(held) < AT_ONCE and not self.waiting.empty():
                    held.append(self.waiting.get_nowait())
                verdicts = await loop.run_in_executor(thread, self.kept, [f for f, _ in held])
                for (_, answer), verdict in zip(held, verdicts, strict=True):
                    if not answer.done():
                        answer.set_result(verdict)
                async with self.room:
                    self.size -= sum(len(f.raw) for f, _ in held)
                    self.room.notify_all()

    def kept(self, frames: Sequence[Frame]) -> list[Verdict]:
        """Keep these messages for good, all in one; what is to be answered to each."""
        received = self.terms.clock()
        read = [self._read(f, received) for f in frames]
        arrived = [a for _, _, some in read for a in some]
        try:
            if arrived:
                self.vault.receive(
                    self.terms.principal, arrived, self.terms.basis, self.terms.grants
                )
        except Exception as why:  # noqa: BLE001 - whatever it is, the sender hears and tries again
            log.warning("messages could not be kept (%s)", type(why).__name__)
            if len(frames) > 1 and not isinstance(why, Busy | NoStore | Refused):
                return [v for f in frames for v in self.kept([f])]  # one must not hold up the rest
            because = f"it is not kept ({type(why).__name__})"
            unkept = Refusal("the message", "", because, "send it again later; tell the operator")
            return [Verdict("AE", (unkept,)) for _ in frames]
        for key, verdict, _ in read:
            if key and verdict.code == "AA":
                self._remember(key, verdict)
        return [verdict for _, verdict, _ in read]

    def _read(self, frame: Frame, received: datetime) -> tuple[bytes, Verdict, list[Arrived]]:
        if frame.size > len(frame.raw):
            because = f"it is {frame.size} bytes long; allowed are {self.terms.largest}"
            long = hl7v2.refused(frame.raw, "MLLP", because, "send it in parts")
            return b"", Verdict("AR", long.refused), [long]
        options = Options(received, zone=self.terms.zone)
        try:
            message = parsed(frame.raw)
            key = sha256(repr(body(message)).encode()).digest()
            if key in self.again:
                return b"", self.again[key], []
            arrived = hl7v2.understood(message, frame.raw, "MLLP", options)
        except Unreadable as why:
            bad = hl7v2.refused(frame.raw, f"MLLP#{why.place}", str(why), hl7v2.RESEND)
            return b"", Verdict("AR", bad.refused), [bad]
        except Exception as why:  # noqa: BLE001 - one message must not end the listener
            log.warning("a message was tripped over (%s)", type(why).__name__)
            because = f"the reader tripped over it ({type(why).__name__})"
            bad = hl7v2.refused(frame.raw, "MLLP", because, "tell us, with the message if you may")
            return b"", Verdict("AE", bad.refused), [bad]
        people = People()
        checked = [plausible(a, people, received) for a in arrived]
        return key, verdict(checked), checked

    def _remember(self, key: bytes, verdict: Verdict) -> None:
        self.again[key] = verdict
        if len(self.again) > AGAIN:
            self.again.popitem(last=False)


def verdict(arrived: Sequence[Arrived]) -> Verdict:
    """AA where anything was understood: what was refused in it is said beside."""
    apart = tuple(r for a in arrived for r in a.refused)
    understood = any(a.facts or a.person for a in arrived)
    return Verdict("AE" if apart and not understood else "AA", apart)
