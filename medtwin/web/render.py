"""Views become HTML or JSON; both say the same."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse, Response

from medtwin.web.page import Page, Visit
from medtwin.web.trouble import Trouble, shape

HERE = Path(__file__).parent
templates = Environment(
    loader=FileSystemLoader([HERE / "templates", HERE / "pages"]),
    autoescape=select_autoescape(["html"], default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
templates.filters["json"] = lambda value: orjson.dumps(
    value, option=orjson.OPT_SERIALIZE_NUMPY
).decode()


def sentence(words: str) -> str:
    """The same words with a capital first."""
    return words[:1].upper() + words[1:]


templates.filters["sentence"] = sentence


@dataclass(frozen=True)
class Item:
    """One line of the menu."""

    name: str
    title: str
    path: str
    glyph: str


@dataclass(frozen=True)
class Frame:
    """What every page shows around its view."""

    visit: Visit
    menu: tuple[Item, ...] = ()
    live: str = ""
    json: str = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.visit, name)


def html(template: str, page: Any, frame: Frame, view: Any, status: int = 200) -> Response:
    """The view as a page or a piece of one."""
    text = templates.get_template(template).render(page=page, visit=frame, view=view)
    return HTMLResponse(text, status)


def said(view: Any, status: int = 200) -> Response:
    """The view as JSON."""
    options = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_UTC_Z
    body = orjson.dumps(view, default=_plain, option=options)
    return Response(body, status, media_type="application/json")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (frozenset, set)):
        return sorted(value)
    return str(value)


def trouble(error: Trouble, wants_json: bool, frame: Frame) -> Response:
    """An error as the reader asked for it; its status is the same either way."""
    if wants_json:
        return said(shape(error.words), error.status)
    page = Page("error", error.words.what, "", "", view=lambda _: None)
    piece = "error.part.html" if frame.one("piece") else "error.html"
    return html(piece, page, frame, error, error.status)
