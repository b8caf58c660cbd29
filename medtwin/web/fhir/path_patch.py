"""FHIRPath Patch: the steps of a Parameters resource as steps of a JSON Patch.

https://hl7.org/fhir/R4/fhirpatch.html. A path names elements and places (`Patient.name[0].given`);
what needs more of FHIRPath is refused.
"""

import re
from typing import Any

from medtwin.vault.resource_paths import stems
from medtwin.web.fhir.problem import problem

PART = re.compile(r"([A-Za-z]\w*)(?:\[(\d{1,5})\])?")
ALLOWED = "allowed are elements with places, such as Patient.name[0].given"


def steps(resource: dict[str, Any], parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """Each operation of the Parameters as a step of a JSON Patch on this resource."""
    given = parameters.get("parameter")
    operations = [p for p in given if isinstance(p, dict)] if isinstance(given, list) else []
    if not operations or any(p.get("name") != "operation" for p in operations):
        raise problem(400, "required", "a FHIRPath Patch is Parameters of operations; send those")
    return [_step(resource, _parts(p), n) for n, p in enumerate(operations)]


def _parts(operation: dict[str, Any]) -> dict[str, Any]:
    """The parts of an operation, whatever type their value has."""
    found: dict[str, Any] = {}
    for part in operation.get("part") or ():
        value = next((v for k, v in part.items() if k.startswith("value")), None)
        inner = {k: v for p in part.get("part") or () for k, v in _parts({"part": [p]}).items()}
        found[str(part.get("name"))] = inner if value is None and inner else value
    return found


def _step(resource: dict[str, Any], told: dict[str, Any], number: int) -> dict[str, Any]:
    how = told.get("type")
    path = _pointer(resource, str(told.get("path", "")), number)
    if how == "add":
        name = str(told.get("name", ""))
        there = _at(resource, path).get(name)
        end = f"{path}/{name}/-" if isinstance(there, list) else f"{path}/{name}"
        return {"op": "add", "path": end, "value": told.get("value")}
    if how == "insert":
        return {"op": "add", "path": f"{path}/{told.get('index')}", "value": told.get("value")}
    if how in ("replace", "delete"):
        made = {"op": "remove" if how == "delete" else how, "path": path}
        return made | ({"value": told.get("value")} if how == "replace" else {})
    if how == "move":
        ends = {k: f"{path}/{told.get(k)}" for k in ("source", "destination")}
        return {"op": "move", "from": ends["source"], "path": ends["destination"]}
    said = (
        f"operation {number} is {str(how)[:20]!r}; allowed are add, insert, delete, replace, move"
    )
    raise problem(400, "value", said, f"Parameters.parameter[{number}]")


def _pointer(resource: dict[str, Any], path: str, number: int) -> str:
    """The path as a JSON pointer; a choice under whichever type it has here."""
    kind, _, rest = path.partition(".")
    words = [PART.fullmatch(w) for w in rest.split(".")] if rest else []
    if kind != resource.get("resourceType") or None in words:
        place = f"Parameters.parameter[{number}]"
        raise problem(400, "value", f"the path {path[:80]!r} cannot be followed; {ALLOWED}", place)
    made, node = "", resource
    for word in (w for w in words if w is not None):
        name = next((k for k in node if word[1] in stems(k)), word[1])
        made += f"/{name}"
        node = node.get(name) if isinstance(node, dict) else {}
        if word[2] is not None or (isinstance(node, list) and word is not words[-1]):
            at = int(word[2] or 0)
            made += f"/{at}"
            node = node[at] if isinstance(node, list) and at < len(node) else {}
        node = node if isinstance(node, (dict, list)) else {}
    return made


def _at(resource: Any, pointer: str) -> dict[str, Any]:
    for part in pointer.split("/")[1:]:
        resource = resource[int(part)] if isinstance(resource, list) else resource.get(part, {})
    return resource if isinstance(resource, dict) else {}
