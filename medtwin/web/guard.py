"""Before and after every answer: nothing oversized comes in, strict headers go out."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

QUERY_LIMIT = 4096
BODY_LIMIT = 64 * 1024
FHIR_LIMIT = 64 * 1024 * 1024  # a Bundle is a delivery, not a form
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """Wraps the app: refuses what is too big to be meant, and seals what leaves."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        too_big = oversized(scope)
        if too_big:
            await _refuse(send, *too_big)
            return
        await self.app(scope, limited(receive, limit(scope)), sealed(scope["path"], send))


def oversized(scope: Scope) -> tuple[int, str] | None:
    """The status and reason for refusing this request before it is read, if there is one."""
    if len(scope["query_string"]) > QUERY_LIMIT:
        return 414, f"an address of at most {QUERY_LIMIT} bytes"
    length, most = dict(scope["headers"]).get(b"content-length", b"0"), limit(scope)
    if not length.isdigit() or int(length) > most:
        return 413, f"a body of at most {most} bytes"
    return None


def limit(scope: Scope) -> int:
    """How many bytes a request may bring."""
    return FHIR_LIMIT if scope["path"].startswith("/fhir") else BODY_LIMIT


def limited(receive: Receive, most: int) -> Receive:
    """The same body, cut off where a form without a length grows too long."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        return {"type": "http.disconnect"} if seen > most else message

    return counted


def sealed(path: str, send: Send) -> Send:
    """The same answer with the headers that every answer has."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(HEADERS)
            # Names are versioned by content only in `vendor`; the rest may change any day.
            kept = path.startswith("/static/")
            headers["cache-control"] = "public, max-age=600" if kept else "no-store"
        await send(message)

    return sending


async def _refuse(send: Send, status: int, allowed: str) -> None:
    words = (
        f'{{"error":{{"what":"this request is too large","whose":"the request itself",'
        f'"allowed":"{allowed}","next":"send less and ask again"}}}}'
    )
    headers = [(b"content-type", b"application/json")]
    headers += [(k.encode(), v.encode()) for k, v in HEADERS.items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": words.encode()})
