"""The FHIR server as an app of its own: where each address leads, and what an error looks like."""

from collections.abc import Callable
from datetime import datetime
from logging import getLogger
from traceback import format_tb

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from medtwin.vault.access import Principal, Refused, Role
from medtwin.vault.dialect import Busy
from medtwin.vault.resource_asking import CannotAsk
from medtwin.vault.vault import Vault
from medtwin.web.fhir import languages, operations, reading, transactions, writing
from medtwin.web.fhir.asked import unanswerable
from medtwin.web.fhir.call import Call, Reply, kind_of, pairs
from medtwin.web.fhir.entrance import Entrant, principal_of
from medtwin.web.fhir.metadata import metadata
from medtwin.web.fhir.problem import Fault, Problem, outcome, problem

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
log = getLogger(__name__)
FORM = "application/x-www-form-urlencoded"
NOBODY = Entrant(Principal("anybody", Role.system), scopes=())


def build(vault: Vault, clock: Callable[[], datetime]) -> Starlette:
    """The server over one vault."""
    app = Starlette(routes=[Route("/{path:path}", answer, methods=METHODS)])
    app.state.vault, app.state.clock = vault, clock
    app.add_exception_handler(HTTPException, _elsewhere)
    return app


async def answer(request: Request) -> Response:
    """Any request; whatever goes wrong is answered here, as FHIR says it."""
    try:
        body = await request.body()
        return await run_in_threadpool(_answered, request, body)
    except ClientDisconnect:
        raise
    except Exception as error:  # noqa: BLE001  the server must live, and say what to do next
        return explain(request, error)


def _answered(request: Request, body: bytes) -> Response:
    spoken = languages.wanted(request)
    path = tuple(p for p in request.path_params["path"].split("/") if p)
    entrant = None if path == ("metadata",) else principal_of(request)
    call = called(request, path, languages.understood(request, body), entrant)
    reply = dispatch(call)
    return languages.said(reply, "" if request.method == "HEAD" else spoken)


def called(request: Request, path: tuple[str, ...], body: bytes, entrant: Entrant | None) -> Call:
    """The request as a call."""
    state = request.app.state
    query, headers = request.url.query, dict(request.headers)
    if path[-1:] == ("_search",) and headers.get("content-type", "").startswith(FORM):
        query, body = "&".join(p for p in (query, body.decode(errors="replace")) if p), b""
    base = f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}"
    method = "GET" if request.method == "HEAD" else request.method
    who = entrant or NOBODY
    return Call(state.vault, who, base, method, path, pairs(query), headers, body, state.clock())


def dispatch(call: Call) -> Reply:
    """Where a call leads."""
    path, size = call.path, len(call.path)
    if not path:
        return _whole(call)
    if path == ("metadata",):
        return metadata(call)
    if path == ("_history",):
        return reading.history(call)
    kind = kind_of(path[0])
    if path[-1].startswith("$"):
        return _operation(call, kind)
    if size == 1 or path[1:] == ("_search",):
        return _of_kind(call, kind)
    if path[1:] == ("_history",):
        return reading.history(call, kind)
    if size == 2:
        return _of_one(call, kind, path[1])
    if path[2] == "_history" and size in (3, 4) and call.method == "GET":
        one = path[1]
        return (
            reading.vread(call, kind, one, path[3])
            if size == 4
            else reading.history(call, kind, one)
        )
    if size in (3, 4) and kind == "Patient" and call.method == "GET":
        return reading.compartment(call, path[1], kind_of(path[2]))
    raise _nowhere(call)


def safely(call: Call) -> Reply:
    """The same for an entry of a batch: what goes wrong is said in its place."""
    try:
        return dispatch(call)
    except Exception as error:  # noqa: BLE001  one entry must not hold up the others
        wrong = in_words(error)
        return Reply(wrong.status, outcome(wrong.faults))


def _whole(call: Call) -> Reply:
    if call.method == "POST":
        return transactions.done(call, safely)
    raise _nowhere(call)


def _of_kind(call: Call, kind: str) -> Reply:
    if call.method == "GET" or call.path[-1] == "_search":
        return reading.search(call, kind)
    with call.vault.resources.writing(call.entrant.ground, base=call.base) as w:
        if call.method == "POST":
            return writing.create(call, w, kind)
        if call.method == "PUT":
            return writing.update_where(call, w, kind)
        if call.method == "PATCH":
            return writing.patch_where(call, w, kind)
        return writing.delete_where(call, w, kind)


def _of_one(call: Call, kind: str, id_: str) -> Reply:
    if call.method == "GET":
        return reading.read(call, kind, id_)
    with call.vault.resources.writing(call.entrant.ground, base=call.base) as w:
        if call.method == "PUT":
            return writing.update(call, w, kind, id_)
        if call.method == "PATCH":
            return writing.patch(call, w, kind, id_)
        if call.method == "DELETE":
            return writing.delete(call, w, kind, id_)
    raise problem(405, "not-supported", f"{call.method} {kind}/{id_[:64]}; create with POST {kind}")


def _operation(call: Call, kind: str) -> Reply:
    name, one = call.path[-1][1:], call.path[1] if len(call.path) == 3 else ""
    table = operations.INSTANCE if one else operations.KIND
    act = table.get(kind, {}).get(name) or table["*"].get(name)
    if act is None:
        raise problem(
            404, "not-supported", f"${name[:40]} is no operation of {kind}; see /metadata"
        )
    return act(call, kind, one) if one else act(call, kind)


def _nowhere(call: Call) -> Problem:
    said = f"{call.method} {'/'.join(call.path)[:100] or '/'} leads nowhere; see /metadata"
    return problem(404, "not-supported", said)


async def _elsewhere(request: Request, error: Exception) -> Response:
    """A method or an address that no route knows."""
    return explain(request, error)


def explain(request: Request, error: Exception) -> Response:
    """Any error as an OperationOutcome."""
    wrong = in_words(error)
    headers = {"www-authenticate": "Bearer"} if wrong.status == 401 else {}
    reply = Reply(wrong.status, outcome(wrong.faults), headers)
    return languages.said(reply, languages.wanted_or_json(request))


def in_words(error: Exception) -> Problem:
    """What went wrong; nothing of what somebody's data says."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, CannotAsk):
        return unanswerable(error)
    if isinstance(error, Refused):
        said = "this is not yours to do, or nobody of that name is kept; ask the operator"
        return Problem(403, Fault("forbidden", said))
    if isinstance(error, Busy):
        return problem(503, "lock-error", "the store is busy; try again in a moment")
    if isinstance(error, HTTPException):
        return problem(error.status_code, "processing", f"{error.detail}; see /metadata")
    # Where it failed, never what the message says: it may quote somebody's data.
    places = "".join(format_tb(error.__traceback__))
    log.error("%s in the FHIR server\n%s", type(error).__name__, places)
    said = "something inside medtwin failed; what was kept before is safe: try once more"
    return problem(500, "exception", said)
