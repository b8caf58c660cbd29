"""Logging in and out, and the reader's own preferences."""

import secrets
from urllib.parse import unquote

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from medtwin.vault.access import Role
from medtwin.web.door import DOOR, SESSION, Turnstile, check_form, csrf
from medtwin.web.page import Page, Visit
from medtwin.web.region import THEMES, UNITS, region
from medtwin.web.render import Frame, html
from medtwin.web.trouble import Trouble, wrong_value

YEAR = 365 * 86400
FIRST_PAGE = {Role.patient: "/own"}
page = Page("login", "Log in", "/login", "local accounts", view=lambda _: None)


def mount(app: FastAPI) -> None:
    """Give the app its door."""
    app.state.turnstile = Turnstile()
    app.add_api_route("/", start, methods=["GET"], include_in_schema=False)
    app.add_api_route("/login", ask, methods=["GET"], include_in_schema=False)
    app.add_api_route("/login", enter, methods=["POST"], include_in_schema=False)
    app.add_api_route("/logout", leave, methods=["POST"], include_in_schema=False)
    app.add_api_route("/preferences", prefer, methods=["POST"], include_in_schema=False)


def start(request: Request) -> Response:
    """Everybody's first page is their own work."""
    principal = request.app.state.vault.accounts.session(request.cookies.get(SESSION, ""))
    if principal is None:
        return RedirectResponse("/login", 303)
    return RedirectResponse(FIRST_PAGE.get(principal.role, "/worklist"), 303)


def ask(request: Request) -> Response:
    """The log-in form."""
    return form_again(request, "", 200)


def form_again(request: Request, wrong: str, status: int) -> Response:
    """The form, with what was wrong; a cookie of its own lets it prove where it came from."""
    secret = request.cookies.get(DOOR) or secrets.token_urlsafe(24)
    state = request.app.state
    visit = Visit(
        state.vault, None, None, region(request.cookies), state.clock(), "/login", csrf=csrf(secret)
    )
    view = {"wrong": wrong, "back": safe(request.query_params.get("back", ""))}
    response = html("login.html", page, Frame(visit), view, status)
    keep(request, response, DOOR, secret, 3600)
    return response


async def enter(request: Request) -> Response:
    """Log in; the name and the password are wrong together, never one of them."""
    form = await _form(request)
    check_form(form, request.cookies.get(DOOR, ""), request.headers)
    name, password = form.get("name", "").strip(), form.get("password", "")
    if len(name) > 200 or len(password) > 1000:
        raise wrong_value("name or password", "", "at most 200 and 1,000 characters")
    keys = (f"name {name.casefold()}", f"address {request.client.host if request.client else ''}")
    now = request.app.state.clock()
    try:
        request.app.state.turnstile.check(keys, now)
        token = await run_in_threadpool(admitted, request, name, password)
    except Trouble as error:
        return form_again(request, f"{error.words.what}: {error.words.next}.", error.status)
    if token is None:
        request.app.state.turnstile.note(keys, now)
        return form_again(request, "That name and password do not belong together.", 401)
    response = RedirectResponse(safe(form.get("back", "")) or "/", 303)
    keep(request, response, SESSION, token, 12 * 3600)
    response.delete_cookie(DOOR)
    return response


def admitted(request: Request, name: str, password: str) -> str | None:
    """A session, or nothing."""
    try:
        return request.app.state.vault.accounts.login(name, password) or None
    except (PermissionError, LookupError):
        return None


async def leave(request: Request) -> Response:
    """End the session here and on the server."""
    token = request.cookies.get(SESSION, "")
    check_form(await _form(request), token, request.headers)
    await run_in_threadpool(request.app.state.vault.accounts.logout, token)
    response = RedirectResponse("/login", 303)
    response.delete_cookie(SESSION)
    return response


async def prefer(request: Request) -> Response:
    """Remember the reader's theme and units."""
    form = await _form(request)
    check_form(form, request.cookies.get(SESSION, ""), request.headers)
    response = RedirectResponse(safe(form.get("back", "")) or "/", 303)
    for name, allowed in (("theme", THEMES), ("units", UNITS)):
        if name in form and form[name] not in allowed:
            raise wrong_value(name, form[name], f"one of {', '.join(allowed)}")
        if name in form:
            keep(request, response, name, form[name], YEAR)
    return response


def keep(request: Request, response: Response, name: str, value: str, seconds: int) -> None:
    """A cookie that scripts and other sites cannot use."""
    secure = request.url.scheme == "https"
    response.set_cookie(
        name, value, seconds, path="/", secure=secure, httponly=True, samesite="strict"
    )


def safe(back: str) -> str:
    """An address of ours to return to, or nothing."""
    plain = unquote(back)
    inside = back.startswith("/") and not plain.startswith(("//", "/\\"))
    return back if inside and "\n" not in plain and "\r" not in plain else ""


async def _form(request: Request) -> dict[str, str]:
    async with request.form(max_files=0, max_fields=30) as form:
        return {k: v for k, v in form.items() if isinstance(v, str)}
