"""What the standard says of a whole resource in words, not in rules a machine can read."""

from collections.abc import Iterator

from medtwin.fhir.issue import Issue, error
from medtwin.fhir.nodes import Node, every_descendant


def beyond(node: Node, path: str) -> Iterator[Issue]:
    """Findings about the resource as a whole."""
    yield from _contained(node, path)


def _contained(node: Node, path: str) -> Iterator[Issue]:
    contained = node.value.get("contained")
    if not isinstance(contained, list):
        return
    named = {n.value for n in every_descendant(node) if isinstance(n.value, str) and n.value[:1] == "#"}
    met: set[str] = set()
    for i, one in enumerate(contained):
        name = one.get("id") if isinstance(one, dict) else None
        here = f"{path}.contained[{i}]"
        if not isinstance(name, str):
            yield error("structure", here, "what is contained needs an id to be named by")
        elif name in met:
            yield error("structure", here, f"two contained resources have the id {name}")
        elif f"#{name}" not in named and not _names_its_container(one):
            yield error("invariant", here, f"#{name} is contained and never named (dom-3)")
        met.add(str(name))


def _names_its_container(one: object) -> bool:
    return '"#"' in str(one).replace("'", '"')
