"""One connection per tab: what the ward says, with numbers, so that a lost line is taken up.

An event carries a kind, a number and a pseudonym, never a value: the page then asks for its part
again, through the vault, and consent decides anew.
"""

from asyncio import sleep
from collections.abc import AsyncIterator
from dataclasses import dataclass
from time import monotonic

import orjson
from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from medtwin.care.event import Event
from medtwin.care.viewers import Listener
from medtwin.vault.access import Principal, Role
from medtwin.web.door import SESSION
from medtwin.web.trouble import Trouble, Words, unknown, wrong_value

PULSE = 0.2
KEEP_ALIVE = 15.0
PIECE = {"content-type": "text/event-stream", "x-accel-buffering": "no"}


@dataclass(frozen=True)
class Viewer:
    """Who watches, and whom; no patient is everybody this principal may list."""

    principal: Principal
    patient: str

    def wants(self, event: Event) -> bool:
        """Whether this event is for them."""
        if self.principal.role is Role.patient:
            return event.patient == self.principal.patient
        return not self.patient or event.patient in (self.patient, "")


def mount(app: FastAPI) -> None:
    """Give the app its live line."""
    app.add_api_route("/live", line, methods=["GET"], include_in_schema=False)


async def line(request: Request) -> Response:
    """The events of the ward from now on, or from the last one that this browser heard."""
    viewer = await run_in_threadpool(watching, request)
    ward = request.app.state.ward
    if ward is None:
        raise unknown("nothing is live here: no ward is running")
    listener = ward.listen(last_heard(request))
    return StreamingResponse(told(request, viewer, listener), headers=PIECE)


def watching(request: Request) -> Viewer:
    """Who is on the line."""
    principal = request.app.state.vault.accounts.session(request.cookies.get(SESSION, ""))
    if principal is None:
        raise Trouble(401, Words("nobody is logged in", "this browser", "an account", "log in"))
    patient = request.query_params.get("patient", "")
    if principal.role is Role.patient and patient not in ("", principal.patient):
        raise Trouble(403, Words("this is not your own page", patient, "your own", "open My page"))
    return Viewer(principal, patient)


def last_heard(request: Request) -> int | None:
    """The number of the last event that arrived before the line broke."""
    said = request.headers.get("last-event-id", "")
    if not said:
        return None
    if not said.isdecimal() or len(said) > 15:
        raise wrong_value("Last-Event-ID", said, "the number of an event")
    return int(said)


async def told(request: Request, viewer: Viewer, listener: Listener) -> AsyncIterator[bytes]:
    """Events as they come; a comment now and then, so that nobody takes silence for the end.

    Ends when the session does. The queue is the viewer's own and its newest events win, so a
    screen that does not read never holds up a model.
    """
    quiet_since = monotonic()
    try:
        yield b"retry: 2000\n\n"
        while not listener.closed:
            event = listener.next(0)
            if event and viewer.wants(event):
                quiet_since = monotonic()
                yield written(event)
            elif event is None:
                await sleep(PULSE)
            if monotonic() - quiet_since >= KEEP_ALIVE:
                quiet_since = monotonic()
                if await run_in_threadpool(gone, request):
                    return
                yield b": still here\n\n"
    finally:
        listener.close()


def gone(request: Request) -> bool:
    """Whether the session has ended meanwhile."""
    token = request.cookies.get(SESSION, "")
    return request.app.state.vault.accounts.session(token) is None


def written(event: Event) -> bytes:
    """An event as it goes over the line."""
    data = orjson.dumps({"patient": event.patient, "at": event.at})
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.id, event.kind.value.encode(), data)
