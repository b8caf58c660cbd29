"""The web app: the pages found in their folder, the same as JSON, one door, one guard."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from medtwin import catalogue
from medtwin.care.ward import Ward
from medtwin.vault.access import Refused
from medtwin.vault.vault import Vault
from medtwin.web import live, pages
from medtwin.web.door import DOOR, SESSION, check_form, csrf
from medtwin.web.entrance import mount as mount_entrance
from medtwin.web.fhir.server import build as fhir
from medtwin.web.guard import Guard
from medtwin.web.page import File, Page, Visit
from medtwin.web.region import region
from medtwin.web.render import HERE, Frame, Item, html, said, trouble
from medtwin.web.trouble import Trouble, Words, not_for, unknown

Clock = Callable[[], datetime]
Answer = Callable[[Visit], Response]


def now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def build(vault: Vault, ward: Ward | None = None, clock: Clock = now, contact: str = "") -> FastAPI:
    """The app over one vault. `ward` brings live events; `contact` is whom a patient may call."""
    app = FastAPI(title="medtwin", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    app.state.vault, app.state.ward, app.state.clock = vault, ward, clock
    app.state.contact = contact
    app.state.pages = tuple(catalogue.everything(pages, Page).values())
    app.add_middleware(Guard)
    app.mount("/static", StaticFiles(directory=HERE / "static"))
    app.mount("/fhir", fhir(vault, clock))
    mount_entrance(app)
    live.mount(app)
    for page in app.state.pages:
        _mount(app, page)
    for kind in (Trouble, Refused, HTTPException, Exception):
        app.add_exception_handler(kind, explain)
    return app


def _mount(app: FastAPI, page: Page) -> None:
    _get(app, page, page.path, page.view, f"{page.name}.html")
    for name, part in page.parts.items():
        _get(app, page, f"{page.path}/{name}", part, f"{page.name}.{name}.html")
    for name, act in page.acts.items():
        _post(app, page, f"{page.path}/{name}", act)
    for name, file in page.files.items():
        _take(app, page, f"{page.path}/{name}", file)


def _get(app: FastAPI, page: Page, path: str, view: Callable[[Visit], Any], template: str) -> None:
    async def shown(request: Request) -> Response:
        return await run_in_threadpool(_shown, request, page, view, template)

    async def told(request: Request) -> Response:
        return await run_in_threadpool(_told, request, page, view)

    title = f"{page.title}: {page.reference}"
    app.add_api_route(path, shown, methods=["GET"], include_in_schema=False)
    app.add_api_route(f"/api{path}", told, methods=["GET"], summary=title)


def _take(app: FastAPI, page: Page, path: str, file: Callable[[Visit], File]) -> None:
    async def taken(request: Request) -> Response:
        return await run_in_threadpool(_taken, request, page, file)

    app.add_api_route(path, taken, methods=["GET"], include_in_schema=False)


def _taken(request: Request, page: Page, file: Callable[[Visit], File]) -> Response:
    taken = file(opened(request, page))
    kept = {"content-disposition": f"attachment; filename*=UTF-8''{quote(taken.name)}"}
    return Response(taken.content, media_type="application/octet-stream", headers=kept)


def _shown(request: Request, page: Page, view: Callable[[Visit], Any], template: str) -> Response:
    visit = opened(request, page)
    return html(template, page, framed(request, visit, page), view(visit))


def _told(request: Request, page: Page, view: Callable[[Visit], Any]) -> Response:
    return said(view(opened(request, page)))


def _post(app: FastAPI, page: Page, path: str, act: Callable[[Visit], str]) -> None:
    async def done(request: Request) -> Response:
        form = await form_of(request)
        check_form(form, request.cookies.get(SESSION, ""), request.headers)
        visit = replace(opened(request, page), form=form)
        return RedirectResponse(await run_in_threadpool(act, visit), 303)

    app.add_api_route(path, done, methods=["POST"], include_in_schema=False)


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form; files are not taken."""
    async with request.form(max_files=0, max_fields=30) as form:
        return {k: v for k, v in form.items() if isinstance(v, str)}


def opened(request: Request, page: Page) -> Visit:
    """The visit, if this page is open to whoever asks."""
    visit = visiting(request)
    if page.roles and visit.principal is None:
        raise Trouble(
            401,
            Words("nobody is logged in", "this browser", "people with an account", "log in"),
            "login",
        )
    if visit.principal and page.roles and visit.principal.role not in page.roles:
        raise not_for(visit.principal.role, ", ".join(sorted(page.roles)))
    return visit


def visiting(request: Request) -> Visit:
    """Who asks, when, and in whose units."""
    state, token = request.app.state, request.cookies.get(SESSION, "")
    asked: Mapping[str, tuple[str, ...]] = {
        k: tuple(request.query_params.getlist(k)) for k in request.query_params
    }
    return Visit(
        vault=state.vault,
        ward=state.ward,
        principal=state.vault.accounts.session(token) if token else None,
        region=region(request.cookies),
        now=state.clock(),
        here=request.url.path,
        asked=asked,
        place=dict(request.path_params),
        csrf=csrf(token or request.cookies.get(DOOR, "")),
        contact=state.contact,
    )


def framed(request: Request, visit: Visit, page: Page | None = None) -> Frame:
    """The visit with the menu, the live address and the JSON twin of the page around it."""
    role = visit.principal.role if visit.principal else None
    menu = tuple(
        Item(p.name, p.title, p.path, p.glyph)
        for p in request.app.state.pages
        if p.glyph and role in p.roles
    )
    query = f"?{request.url.query}" if request.url.query else ""
    json = f"/api{visit.here}{query}" if page else ""
    listens = bool(page and page.live and visit.ward)
    where = page.live.format(**visit.place) if listens and page else ""
    return Frame(visit, menu, where, json)


async def explain(request: Request, error: Exception) -> Response:
    """Any error, in the one shape; a page for people, JSON for programs."""
    told = in_words(error)
    wants_json = request.url.path.startswith("/api")
    piece = bool(request.headers.get("hx-request"))
    if told.kind == "login" and not (wants_json or piece):
        return RedirectResponse(f"/login?back={urlsplit(str(request.url)).path}", 303)
    visit = await run_in_threadpool(visiting, request)
    if piece:
        visit = replace(visit, asked={**visit.asked, "piece": ("1",)})
    return trouble(told, wants_json, framed(request, visit))


def in_words(error: Exception) -> Trouble:
    """What, whose, allowed, next."""
    if isinstance(error, Trouble):
        return error
    if isinstance(error, Refused):
        return refused(error)
    if isinstance(error, HTTPException) and error.status_code == 404:
        return unknown("nothing is at this address")
    if isinstance(error, HTTPException):
        return Trouble(
            error.status_code,
            Words(str(error.detail).lower(), "this address", "reading it", "go back and try again"),
        )
    return Trouble(
        500,
        Words(
            "something inside medtwin failed",
            "this request; what was kept before it is safe",
            "trying again",
            "try once more, then tell the operator the time and this address",
        ),
    )


def refused(error: Refused) -> Trouble:
    """The vault said no; a record that has ended is said to have ended."""
    because = error.decision.because
    ended = because.startswith("retired")
    words = Words(
        because,
        "this person's record",
        "what the person's own choices and your role allow",
        "nothing can be read again; the certificate shows when and why it ended"
        if ended
        else "ask the person; they can change their choices on their own page",
    )
    return Trouble(410 if ended else 403, words, "ended" if ended else "no-consent")
