"""FHIR's XML, read into the same plain JSON and written back from it.

https://hl7.org/fhir/R4/xml.html. Entities are off; size and depth are bounded. What cannot be
said in JSON (order of elements, stray text and attributes) is reported beside the resource.
"""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  it ships no types

from medtwin.fhir.issue import Issue, error
from medtwin.fhir.narrative import as_xml
from medtwin.fhir.parsing import DEEPEST, LARGEST, Unreadable
from medtwin.fhir.types import PRIMITIVES, RESOURCE_KINDS, fields

FHIR = "http://hl7.org/fhir"
XHTML = "http://www.w3.org/1999/xhtml"
WHOLE = frozenset({"integer", "unsignedInt", "positiveInt"})
ATTRIBUTES = frozenset({"id", "value", "url"})
LAYOUT = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"


def read(raw: bytes) -> tuple[dict[str, Any], list[Issue]]:
    """The resource as plain JSON with `Decimal` numbers, and what is wrong with its XML.

    Raises `Unreadable` where this is no XML, not FHIR's, too large or too deep.
    """
    root = _tree(raw)
    if etree.QName(root).namespace != FHIR:
        raise Unreadable(f"<{root.tag}> is not in FHIR's namespace {FHIR}")
    kind = etree.QName(root).localname
    if kind not in RESOURCE_KINDS:
        raise Unreadable(f"'{kind}' is no resource of FHIR R4")
    wrong: list[Issue] = []
    found = {"resourceType": kind, **_object(root, kind, kind, wrong, 0)}
    return tidied(found), wrong


def _tree(raw: bytes) -> Any:
    if len(raw) > LARGEST:
        raise Unreadable(f"{len(raw)} bytes; allowed are {LARGEST}: send it in parts")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, remove_comments=True
    )
    try:
        root = etree.fromstring(raw, parser)
    except etree.XMLSyntaxError as why:
        raise Unreadable(f"this is not XML: {why.msg}") from why
    if root.getroottree().docinfo.doctype:
        raise Unreadable("XML with a DOCTYPE is not read: it may hold entities")
    return root


def _object(node: Any, kind: str, path: str, wrong: list[Issue], depth: int) -> dict[str, Any]:
    if depth > DEEPEST:
        raise Unreadable(f"nested deeper than {DEEPEST}", path)
    found: dict[str, Any] = dict(_attributes(node, kind, path, wrong))
    if node.text and node.text.strip():
        wrong.append(error("structure", path, f"text '{node.text.strip():.40}' has no place here"))
    last, order = -1, {n: i for i, n in enumerate(fields(kind))}
    for child in node:
        name = _name(child, path, wrong)
        place = order.get(name, last)
        if place < last:
            wrong.append(
                error("structure", f"{path}.{name}", f"<{name}> comes too late: order counts")
            )
        last = max(last, place)
        _add(found, child, name, kind, path, wrong, depth)
    return found


def _attributes(node: Any, kind: str, path: str, wrong: list[Issue]) -> Iterator[tuple[str, str]]:
    allowed = {"id"} | ({"url"} if kind == "Extension" else set())
    for name, value in node.attrib.items():
        if name in allowed and kind not in RESOURCE_KINDS:
            yield name, value
        elif name != LAYOUT and not (name == "value" and kind in PRIMITIVES):
            wrong.append(error("structure", path, f"attribute '{name}' has no place here"))


def _name(child: Any, path: str, wrong: list[Issue]) -> str:
    if not isinstance(child.tag, str):
        raise Unreadable("XML with entities or instructions is not read", path)
    said = etree.QName(child)
    if said.namespace not in {FHIR, XHTML}:
        wrong.append(error("structure", path, f"<{said.localname}> is not in FHIR's namespace"))
    if child.tail and child.tail.strip():
        wrong.append(error("structure", path, f"text '{child.tail.strip():.40}' has no place here"))
    return said.localname


def _add(
    found: dict[str, Any],
    child: Any,
    name: str,
    kind: str,
    path: str,
    wrong: list[Issue],
    depth: int,
) -> None:
    field = fields(kind).get(name)
    here = f"{path}.{name}"
    if field is None:
        found[name] = child.get("value", {})
        return
    many = field.element.many
    if field.kind == "xhtml":
        found[name] = etree.tostring(child, encoding="unicode", with_tail=False)
    elif field.kind in PRIMITIVES:
        _add_primitive(found, child, name, field.kind, many, here, wrong, depth)
    else:
        inner = _resource if field.kind == "Resource" else _object
        value = inner(child, field.kind, here, wrong, depth + 1)
        _put(found, name, value, many, here, wrong)


def _put(
    found: dict[str, Any], name: str, value: Any, many: bool, path: str, wrong: list[Issue]
) -> None:
    if many:
        found.setdefault(name, []).append(value)
    elif name in found:
        wrong.append(error("structure", path, f"<{name}> may come once only"))
    else:
        found[name] = value


def _resource(node: Any, kind: str, path: str, wrong: list[Issue], depth: int) -> dict[str, Any]:
    inner = list(node)
    said = etree.QName(inner[0]).localname if len(inner) == 1 else ""
    if said not in RESOURCE_KINDS:
        wrong.append(error("structure", path, "one resource of FHIR R4 expected"))
        return {"resourceType": said}
    return {"resourceType": said, **_object(inner[0], said, path, wrong, depth)}


def _add_primitive(
    found: dict[str, Any],
    child: Any,
    name: str,
    kind: str,
    many: bool,
    path: str,
    wrong: list[Issue],
    depth: int,
) -> None:
    value = _plain(child.get("value"), kind)
    sibling = _object(child, "Element", path, [], depth + 1)
    strange = [a for a in child.attrib if a not in ATTRIBUTES]
    if strange:
        wrong.append(error("structure", path, f"attribute '{strange[0]}' has no place here"))
    sibling.pop("value", None)
    if not many:
        if value is not None or not sibling:
            _put(found, name, value, False, path, wrong)
        if sibling:
            found["_" + name] = sibling
        return
    values, siblings = found.setdefault(name, []), found.setdefault("_" + name, [])
    values.append(value)
    siblings.append(sibling or None)
    if not any(siblings):
        found["_" + name] = siblings


def tidied(found: Any) -> Any:
    """The same without arrays of siblings that hold nothing."""
    if isinstance(found, list):
        return [tidied(one) for one in found]
    if not isinstance(found, dict):
        return found
    kept = {k: tidied(v) for k, v in found.items() if not (k[:1] == "_" and _nothing(v))}
    return {
        k: v
        for k, v in kept.items()
        if not (isinstance(v, list) and _nothing(v) and "_" + k in kept)
    }


def _nothing(value: Any) -> bool:
    return isinstance(value, list) and all(v is None for v in value)


def _plain(said: str | None, kind: str) -> Any:
    """The JSON value of an attribute; what cannot be one stays text, to be found wrong."""
    if said is None:
        return None
    if kind == "boolean":
        return {"true": True, "false": False}.get(said, said)
    if kind in WHOLE:
        return int(said) if said.removeprefix("-").isdecimal() else said
    if kind != "decimal":
        return said
    try:
        return Decimal(said) if said.strip() == said else said
    except InvalidOperation:
        return said


# Writing


def written(resource: dict[str, Any]) -> bytes:
    """The resource as FHIR's XML, elements in the order of the standard."""
    kind = resource["resourceType"]
    root = etree.Element(f"{{{FHIR}}}{kind}", nsmap={None: FHIR})
    _fill(root, resource, kind)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _fill(node: Any, held: dict[str, Any], kind: str) -> None:
    for name, field in fields(kind).items():
        if name in held or "_" + name in held:
            if kind not in RESOURCE_KINDS and (
                name == "id" or (name, kind) == ("url", "Extension")
            ):
                node.set(name, held[name])
            else:
                _append(node, held, name, field.kind)


def _append(node: Any, held: dict[str, Any], name: str, kind: str) -> None:
    value, sibling = held.get(name), held.get("_" + name)
    if not isinstance(value, list) and not isinstance(sibling, list):
        _one(node, name, kind, value, sibling)
        return
    values, siblings = value or [], sibling or []
    for i in range(max(len(values), len(siblings))):
        one = values[i] if i < len(values) else None
        _one(node, name, kind, one, siblings[i] if i < len(siblings) else None)


def _one(node: Any, name: str, kind: str, value: Any, sibling: Any) -> None:
    if kind == "xhtml":
        node.append(as_xml(value))
        return
    child = etree.SubElement(node, f"{{{FHIR}}}{name}")
    if kind in PRIMITIVES:
        if value is not None:
            child.set("value", _attribute(value))
        _fill(child, sibling or {}, "Element")
    elif kind == "Resource":
        inner = etree.SubElement(child, f"{{{FHIR}}}{value['resourceType']}")
        _fill(inner, value, value["resourceType"])
    else:
        _fill(child, value, kind)


def _attribute(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
