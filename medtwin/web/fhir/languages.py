"""JSON or XML, as the client sends and wants it."""

from starlette.requests import Request
from starlette.responses import Response

from medtwin.fhir import xml_format
from medtwin.fhir.parsing import Unreadable
from medtwin.web.fhir.call import Reply
from medtwin.web.fhir.problem import Fault, Problem, problem
from medtwin.web.fhir.wire import JSON, written

XML = "application/fhir+xml"
SPOKEN = {
    **dict.fromkeys(("json", "application/json", JSON, "text/json", "*/*", "application/*"), JSON),
    **dict.fromkeys(("xml", "application/xml", XML, "text/xml"), XML),
    "text/html": JSON,  # a person looking with a browser
}


def wanted(request: Request) -> str:
    """The media type of the answer, or a `Problem` saying which there are."""
    asked = request.query_params.get("_format") or request.headers.get("accept") or "*/*"
    words = [w.partition(";")[0].strip().lower().replace(" ", "+") for w in asked.split(",")]
    found = next((SPOKEN[w] for w in words if w in SPOKEN), None)
    if found is None:
        said = f"{asked[:80]!r} is not spoken here; ask for {JSON} or {XML}"
        raise problem(406, "not-supported", said)
    return found


def wanted_or_json(request: Request) -> str:
    """The same for an answer that has to be given anyway."""
    try:
        return wanted(request)
    except Problem:
        return JSON


def understood(request: Request, body: bytes) -> bytes:
    """The body as JSON."""
    if not body or "xml" not in request.headers.get("content-type", "").partition(";")[0]:
        return body
    try:
        resource, wrong = xml_format.read(body)
    except Unreadable as why:
        raise problem(400, "structure", f"{why}; send FHIR's XML or JSON", why.path) from None
    if wrong:
        raise Problem(400, *[Fault(i.code, i.said, i.path, i.severity) for i in wrong])
    return written(xml_format.tidied(resource))


def said(reply: Reply, media: str) -> Response:
    """The reply over the wire; without a media type only its head."""
    if reply.resource is None or not media:
        return Response(b"", reply.status, dict(reply.headers))
    body = xml_format.written(reply.resource) if media == XML else written(reply.resource)
    return Response(body, reply.status, dict(reply.headers), f"{media}; charset=utf-8")
