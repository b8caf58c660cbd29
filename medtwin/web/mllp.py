"""The HL7 v2 listener: messages over MLLP, acknowledged only when they are kept for good.

Each connection is read no faster than the vault keeps. Messages of all connections that wait at
the same time are kept in one transaction. A message that is sent again (same sender, same
MSH-10, same body) is acknowledged again and adds nothing. HL7 MLLP release 1.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from medtwin.vault.vault import Vault
from medtwin.web.mllp_answers import Verdict, addressed, answers
from medtwin.web.mllp_desk import Desk, Frame, Terms

log = logging.getLogger(__name__)
START, END = b"\x0b", b"\x1c"
HEAD = 4096  # of a message that is too long, so much is kept to know whom to answer
IN_FLIGHT = 256  # unanswered messages of one connection


@asynccontextmanager
async def listening(
    vault: Vault, terms: Terms, host: str, port: int, tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Listen until the block ends; yields the port. What was acknowledged is kept for good."""
    desk = Desk(vault, terms)
    worker = asyncio.create_task(desk.work())
    open_now: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(open_now) >= terms.connections:
            writer.close()
            return
        open_now.add(task)
        line = writer.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # the dead give their place up
        try:
            await conversation(reader, writer, desk)
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError):
            log.info("a connection ended early; what was not acknowledged comes again")
        finally:
            open_now.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, host, port, limit=1 << 18, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in open_now | {worker}:
            task.cancel()
        await asyncio.gather(*open_now, worker, return_exceptions=True)


async def conversation(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, desk: Desk
) -> None:
    """Read messages and answer them in their order, until the other side hangs up."""
    asked: asyncio.Queue[tuple[Frame, asyncio.Future[Verdict]] | None] = asyncio.Queue(IN_FLIGHT)
    answering = asyncio.create_task(_answering(asked, writer, desk.terms.clock))
    try:
        async for frame in frames(reader, desk.terms):
            await asked.put((frame, await desk.take(frame)))
            if answering.done():
                break
        await asked.put(None)
        await answering
    finally:
        answering.cancel()


async def _answering(
    asked: "asyncio.Queue[tuple[Frame, asyncio.Future[Verdict]] | None]",
    writer: asyncio.StreamWriter,
    clock: Callable[[], datetime],
) -> None:
    while (each := await asked.get()) is not None:
        frame, answer = each
        for said in answers(addressed(frame.raw), await answer, clock()):
            writer.write(said)
        await writer.drain()


async def frames(reader: asyncio.StreamReader, terms: Terms) -> AsyncIterator[Frame]:
    """Messages between their marks; what stands outside is passed over."""
    held = bytearray()
    while True:
        chunk = await reader.read(1 << 16)
        if not chunk:
            return
        held += chunk
        while True:
            start = held.find(START)
            if start < 0:
                held.clear()
                break
            del held[: start + 1]
            async with asyncio.timeout(terms.patience):
                size = await _ended(reader, held, terms.largest)
            yield _frame(held, size)


async def _ended(reader: asyncio.StreamReader, held: bytearray, largest: int) -> int:
    """Read on until the message ends; its length. Of one too long only the head is held."""
    dropped, searched = 0, 0
    while (end := held.find(END, searched)) < 0:
        searched = len(held)
        if searched + dropped > largest:
            dropped += searched - HEAD
            del held[HEAD:]
            searched = HEAD
        chunk = await reader.read(1 << 16)
        if not chunk:
            raise asyncio.IncompleteReadError(bytes(held[:HEAD]), None)
        held += chunk
    return end + dropped


def _frame(held: bytearray, size: int) -> Frame:
    """Take the message out of what is held. A new start inside it means the first was cut."""
    end = held.find(END)
    raw = bytes(held[:end])
    del held[: end + 1]
    begun = raw.rfind(START)
    if begun >= 0:
        log.warning("a message broke off and another began; the first was not acknowledged")
        raw, size = raw[begun + 1 :], size - begun - 1
    return Frame(raw[:HEAD] if size > len(raw) else raw, size)


def secured(certificate: Path, key: Path, clients: Path | None = None) -> ssl.SSLContext:
    """TLS 1.2 or later; with `clients` only those whom this authority vouches for may speak."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    if clients is not None:
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
