"""What the standard says of a whole resource in words, not in rules a machine can read."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from medtwin.fhir.bundles import ABSOLUTE, bundle
from medtwin.fhir.issue import Issue, error
from medtwin.fhir.nodes import Node, every_descendant
from medtwin.fhir.path_grammar import BadPath, Tree, tree
from medtwin.fhir.r4_extensions import VITAL_SIGNS
from medtwin.fhir.types import RESOURCE_KINDS, elements, fields

Json = dict[str, Any]
IN_TEXT = re.compile(r"""(?:src|href)\s*=\s*["'](#[^"']+)["']""")
LOINC = "http://loinc.org"


def beyond(node: Node, path: str) -> Iterator[Issue]:
    """Findings about the resource as a whole."""
    yield from _contained(node, path)
    if isinstance(url := node.value.get("url"), str) and "url" in fields(node.kind):
        yield from _own_address(url, path)
    if look := WHOLE.get(node.kind):
        yield from look(node.value, path)


def _own_address(url: str, path: str) -> Iterator[Issue]:
    if not ABSOLUTE.match(url):
        yield error("value", f"{path}.url", f"'{url}' must be absolute: with http: or urn:")


# Contained


def _contained(node: Node, path: str) -> Iterator[Issue]:
    contained = node.value.get("contained")
    if not isinstance(contained, list):
        return
    named = set(_named(node))
    met: set[str] = set()
    for i, one in enumerate(contained):
        name = one.get("id") if isinstance(one, dict) else None
        here = f"{path}.contained[{i}]"
        if not isinstance(name, str):
            yield error("structure", here, "what is contained needs an id to be named by")
        elif name in met:
            yield error("structure", here, f"two contained resources have the id {name}")
        elif f"#{name}" not in named and "#" not in _named(Node(one, one.get("resourceType", ""))):
            yield error("invariant", here, f"#{name} is contained and never named (dom-3)")
        met.add(str(name))


def _named(node: Node) -> Iterator[str]:
    for one in every_descendant(node):
        if isinstance(one.value, str):
            if one.value[:1] == "#":
                yield one.value
            elif one.kind == "xhtml":
                yield from IN_TEXT.findall(one.value)


# Kinds with words of their own


def _observation(held: Json, path: str) -> Iterator[Issue]:
    """A vital sign carries the code of its profile."""
    for profile in held.get("meta", {}).get("profile", []):
        wanted = VITAL_SIGNS.get(str(profile).partition("|")[0])
        codings = held.get("code", {}).get("coding", [])
        if wanted and not any(
            c.get("system") == LOINC and c.get("code") == wanted for c in codings
        ):
            yield error("code-invalid", f"{path}.code", f"{profile} needs {LOINC}|{wanted}")


def _questionnaire(held: Json, path: str) -> Iterator[Issue]:
    """A question may depend on another that is there, and is not inside it."""
    items = list(_items(held, path))
    known = {item.get("linkId") for item, _ in items}
    for item, here in items:
        inside = {one.get("linkId") for one, _ in _items(item, here)}
        for when in item.get("enableWhen", []):
            asked = when.get("question") if isinstance(when, dict) else None
            if asked in inside:
                yield error("value", here, f"'{asked}' is inside the question that depends on it")
            elif asked is not None and asked not in known:
                yield error("value", here, f"there is no question '{asked}'")


def _items(held: Json, path: str) -> Iterator[tuple[Json, str]]:
    for i, item in enumerate(held.get("item", []) if isinstance(held.get("item"), list) else []):
        if isinstance(item, dict):
            yield item, f"{path}.item[{i}]"
            yield from _items(item, f"{path}.item[{i}]")


def _code_system(held: Json, path: str) -> Iterator[Issue]:
    if held.get("content") == "not-present" and held.get("concept"):
        yield error("value", f"{path}.concept", "content says that no concepts are here")
    counted = Counter(p.get("code") for p in held.get("property", []) if isinstance(p, dict))
    for code, times in counted.items():
        if times > 1:
            yield error("value", f"{path}.property", f"property '{code}' is defined {times} times")


def _value_set(held: Json, path: str) -> Iterator[Issue]:
    compose = held.get("compose", {})
    for i, include in enumerate([*compose.get("include", []), *compose.get("exclude", [])]):
        system = include.get("system")
        if isinstance(system, str) and not ABSOLUTE.match(system):
            yield error(
                "value", f"{path}.compose.include[{i}].system", f"'{system}' is not absolute"
            )


def _search_parameter(held: Json, path: str) -> Iterator[Issue]:
    if held.get("type") == "composite" and len(held.get("component", [])) < 2:
        yield error("required", f"{path}.component", "a composite has two components or more")
    expression = held.get("expression")
    if isinstance(expression, str):
        yield from _search_expression(expression, held.get("base", []), f"{path}.expression")


def _search_expression(expression: str, bases: list[str], path: str) -> Iterator[Issue]:
    try:
        whole = tree(expression)
    except BadPath as why:
        yield error("value", path, str(why))
        return
    begins = {name for name in _begins(whole) if name in RESOURCE_KINDS}
    if begins and bases and not begins & {*bases, "Resource", "DomainResource"}:
        said = ", ".join(sorted(begins))
        yield error(
            "value", path, f"the expression asks {said}, the parameter is of {', '.join(bases)}"
        )


def _begins(what: Tree) -> Iterator[str]:
    if what[0] == "operator":
        yield from _begins(what[2])
        yield from _begins(what[3])
    elif what[0] in {"dot", "index"}:
        yield from _begins(what[1])
    elif what[0] == "type":
        yield from _begins(what[2])
    elif what[0] == "name":
        yield what[1]


def _structure(held: Json, path: str) -> Iterator[Issue]:
    """A profile speaks only of elements that its base has."""
    if held.get("derivation") != "constraint" or held.get("type") not in RESOURCE_KINDS:
        return
    for i, element in enumerate(held.get("differential", {}).get("element", [])):
        said = element.get("path")
        here = f"{path}.differential.element[{i}]"
        if isinstance(said, str) and not _exists(said):
            yield error("value", f"{here}.path", f"{held['type']} has no element {said}")
        yield from _profiled(element, here)


def _exists(path: str) -> bool:
    kind, *steps = path.split(".")
    kinds = {kind}
    for step in steps:
        name = step.partition(":")[0]
        kinds = {k for one in kinds for k in _kinds(one, name)}
        if not kinds:
            return False
    return True


def _kinds(kind: str, name: str) -> tuple[str, ...]:
    if not fields(kind):
        return (kind,)
    if name.endswith("[x]"):
        element = elements(kind).get(name.removesuffix("[x]"))
        return element.kinds if element and element.choice else ()
    field = fields(kind).get(name)
    return (field.kind,) if field else ()


def _profiled(element: Json, path: str) -> Iterator[Issue]:
    for one in element.get("type", []):
        for profile in one.get("profile", []):
            home, _, name = str(profile).rpartition("/")
            known = home == "http://hl7.org/fhir/StructureDefinition" and name in KNOWN_TYPES
            if known and name != one.get("code"):
                yield error(
                    "value", f"{path}.type", f"{profile} is no profile of {one.get('code')}"
                )


KNOWN_TYPES = frozenset({"Age", "Count", "Distance", "Duration", "Quantity", "Address", "Coding"})
WHOLE: dict[str, Callable[[Json, str], Iterator[Issue]]] = {
    "Bundle": bundle,
    "Observation": _observation,
    "Questionnaire": _questionnaire,
    "CodeSystem": _code_system,
    "ValueSet": _value_set,
    "SearchParameter": _search_parameter,
    "StructureDefinition": _structure,
}
