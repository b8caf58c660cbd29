"""JSON Patch (RFC 6902) and FHIRPath Patch: some of a resource changed, the rest as it was."""

from copy import deepcopy
from typing import Any

import msgspec

from medtwin.web.fhir import path_patch
from medtwin.web.fhir.call import Call
from medtwin.web.fhir.problem import Problem, problem
from medtwin.web.fhir.wire import Resource, read, written

MOST = 200


def patched(resource: Resource, call: Call) -> Resource:
    """The resource after the patch in the body."""
    known = resource.get("meta", {})
    meta = {k: v for k, v in known.items() if k not in ("versionId", "lastUpdated")}
    bare = {k: v for k, v in resource.items() if k != "meta"} | ({"meta": meta} if meta else {})
    changed = json_patched(bare, _steps(bare, call))
    if not isinstance(changed, dict):
        raise problem(422, "structure", "the patch leaves no resource; patch its parts", "")
    return changed


def _steps(resource: Resource, call: Call) -> list[dict[str, Any]]:
    """The steps of either sort of patch."""
    sort = call.header("content-type").partition(";")[0].strip()
    if sort == "application/json-patch+json":
        return operations(call.body)
    sent = read(call.body) if "json" in sort or "xml" in sort else {}
    if sent.get("resourceType") == "Parameters":
        return path_patch.steps(resource, sent)
    said = "a patch is application/json-patch+json, or Parameters of a FHIRPath Patch"
    raise problem(415, "not-supported", f"{said}; this is {sort[:60] or 'nothing'}")


def operations(raw: bytes) -> list[dict[str, Any]]:
    """The steps of a JSON Patch."""
    try:
        found = msgspec.json.decode(raw)
    except msgspec.DecodeError as why:
        raise problem(400, "structure", f"the patch is no JSON ({why}); send it again") from None
    if not isinstance(found, list) or not all(isinstance(o, dict) for o in found):
        raise problem(400, "structure", "a JSON Patch is a list of operations; send one")
    if len(found) > MOST:
        raise problem(413, "too-long", f"a patch of {len(found)} steps; allowed are {MOST}")
    return found


def json_patched(document: Any, steps: list[dict[str, Any]]) -> Any:
    """The document after each step, in order; none of them if one fails."""
    document = deepcopy(document)
    for number, step in enumerate(steps):
        try:
            document = _stepped(document, step)
        except (KeyError, IndexError, TypeError, ValueError) as why:
            said = f"step {number} ({step.get('op')} {step.get('path')}) cannot be done ({why}); "
            raise _undone(said) from None
    return document


def _undone(said: str) -> Problem:
    return problem(
        422, "processing", f"{said}nothing was changed: read it again and correct the step"
    )


def _stepped(document: Any, step: dict[str, Any]) -> Any:
    how, path = step["op"], _parts(step["path"])
    if how == "test":
        if written(_at(document, path)) != written(step["value"]):
            raise ValueError("what is there is something else")
        return document
    if how in ("move", "copy"):
        source = _parts(step["from"])
        value = deepcopy(_at(document, source))
        document = _removed(document, source) if how == "move" else document
        return _added(document, path, value)
    if how == "remove":
        return _removed(document, path)
    if how == "replace":
        _at(document, path)
        return _added(_removed(document, path), path, step["value"]) if path else step["value"]
    if how == "add":
        return _added(document, path, step["value"])
    raise ValueError("allowed are add, remove, replace, move, copy and test")


def _parts(path: str) -> list[str]:
    if path and not path.startswith("/"):
        raise ValueError("a path begins with /")
    return [p.replace("~1", "/").replace("~0", "~") for p in path.split("/")[1:]]


def _at(document: Any, path: list[str]) -> Any:
    for part in path:
        document = (
            document[_index(part, len(document))] if isinstance(document, list) else document[part]
        )
    return document


def _index(part: str, most: int) -> int:
    if not part.isdecimal() or int(part) >= most:
        raise IndexError(f"there is no item {part[:12]}")
    return int(part)


def _added(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    into, last = _at(document, path[:-1]), path[-1]
    if isinstance(into, list):
        into.insert(len(into) if last == "-" else _index(last, len(into) + 1), value)
    elif isinstance(into, dict):
        into[last] = value
    else:
        raise TypeError("there is nothing that could hold it")
    return document


def _removed(document: Any, path: list[str]) -> Any:
    if not path:
        raise ValueError("the whole cannot be removed; delete the resource")
    into, last = _at(document, path[:-1]), path[-1]
    del into[_index(last, len(into)) if isinstance(into, list) else last]
    return document
