"""The text of a resource: the XHTML that a narrative may hold, and nothing that could act.

https://hl7.org/fhir/R4/narrative.html: elements of HTML 4 chapters 7 to 11 (not 4 of chapter 9)
and 15, `a`, `img`, and `style` attributes; no script, no form, no outside content but images.
"""

from functools import lru_cache
from typing import Any

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  it ships no types

XHTML = "{http://www.w3.org/1999/xhtml}"
ELEMENTS = frozenset(
    """
    div p h1 h2 h3 h4 h5 h6 a b i u s q em strong dfn code samp kbd var cite abbr acronym
    blockquote sub sup br pre tt big small strike address span ul ol li dl dt dd table caption
    thead tfoot tbody colgroup col tr th td img map area font hr center ins del bdo
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
ATTRIBUTES = frozenset(
    """
    title style class id lang dir accesskey tabindex span width align valign char charoff abbr
    axis headers scope rowspan colspan border frame rules cellpadding cellspacing summary href
    name charset type hreflang rel rev shape coords src alt longdesc height usemap ismap cite
    datetime compact start value clear size color face bgcolor nowrap target hspace vspace
    noshade xml:lang xml:space
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
LARGEST = 1 << 20


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)


@lru_cache(maxsize=2048)
def html_complaint(div: str) -> str | None:
    """What is wrong with a narrative, or None."""
    if len(div) > LARGEST:
        return f"the narrative is longer than {LARGEST} characters"
    try:
        tree = as_xml(div)
    except etree.XMLSyntaxError as why:
        return f"the narrative is not XHTML: {why.msg}"
    return _root(tree) or next(filter(None, map(_element, tree.iter())), None) or _said(tree)


def as_xml(div: str) -> Any:
    """The div as a tree, entities off. Raises lxml's `XMLSyntaxError` for what is no XML."""
    return etree.fromstring(_with_entities(div), _parser())


def _with_entities(div: str) -> bytes:
    """XHTML's own named characters, which plain XML does not know."""
    if "&" not in div:
        return div.encode()
    from html.entities import html5

    parts = div.split("&")
    found = [parts[0]]
    for part in parts[1:]:
        name, semicolon, rest = part.partition(";")
        known = html5.get(name + ";") if semicolon and name.isalnum() else None
        plain = known and name not in {"amp", "lt", "gt", "quot", "apos"}
        found.append(known + rest if plain and known else "&" + part)
    return "".join(found).encode()


def _root(tree: Any) -> str | None:
    if tree.tag != XHTML + "div":
        return f"the narrative must be a div of XHTML, not {tree.tag}"
    if tree.getroottree().docinfo.doctype:
        return "a narrative has no DOCTYPE"
    return None


def _element(element: Any) -> str | None:
    if not isinstance(element.tag, str):
        return None if element.tag is etree.Comment else "a narrative has no instructions"
    name = element.tag.removeprefix(XHTML)
    if name not in ELEMENTS:
        return f"a narrative may not hold <{name}>"
    for attribute, value in element.attrib.items():
        name = str(attribute).replace("{http://www.w3.org/XML/1998/namespace}", "xml:")
        if name not in ATTRIBUTES:
            return f"a narrative may not have the attribute {name}"
        if name in {"href", "src"} and str(value).strip().lower().startswith("javascript:"):
            return "a narrative may not hold scripts"
    return None


def _said(tree: Any) -> str | None:
    if any(str(t).strip() for t in tree.itertext()) or tree.find(f".//{XHTML}img") is not None:
        return None
    return "the narrative says nothing"
