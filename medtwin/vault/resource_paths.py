"""Where a search parameter looks in a resource: its expression, compiled once to plain steps."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

Node = Any
Step = Callable[[list[Node]], list[Node]]


@dataclass(frozen=True)
class Path:
    """The element it begins with, and its steps; `plain` if it is that element and no more."""

    first: str
    steps: tuple[Step, ...]
    plain: bool = False


WORD = re.compile(
    r"(?P<as>(?:as|ofType)\((?P<type>\w+)\))"
    r"|where\((?P<key>\w+)\s*=\s*'(?P<value>[^']*)'\)"
    r"|where\(resolve\(\) is (?P<target>\w+)\)"
    r"|extension\('(?P<url>[^']*)'\)"
    r"|(?P<name>\w+)(?:\[(?P<at>\d+)\])?"
)
CAST = re.compile(r"\(([\w.]+) as (\w+)\)")


@cache
def paths(expression: str, kind: str) -> tuple[Path, ...]:
    """The alternatives of an expression that begin at this kind of resource."""
    plain = CAST.sub(r"\1.as(\2)", expression)
    parts = (p.strip().strip("()") if p.count("(") != p.count(")") else p for p in plain.split("|"))
    mine = (p.strip() for p in parts)
    starts = (kind, "Resource", "DomainResource")
    return tuple(compiled(p) for p in mine if p.partition(".")[0] in starts)


def compiled(path: str) -> Path:
    """The steps of one path, after its first word."""
    _, _, rest = path.partition(".")
    if ".exists()" in path or "hasExtension" in path:
        return Path("", (_exists(path),))
    found = list(WORD.finditer(rest))
    steps: list[Step] = []
    for here, after in zip(found, [*found[1:], None], strict=False):
        steps += _steps(here, after)
    first = found[0]["name"] or "extension" if found else ""
    return Path(first, tuple(steps), plain=len(found) == 1 and not found[0]["at"])


def walked(path: Path, resource: Node) -> list[Node]:
    """Everything found at the path."""
    nodes = resource.get(path.first) if path.plain else None
    if nodes is not None:
        return nodes if type(nodes) is list else [nodes]
    nodes = [resource]
    for step in path.steps:
        nodes = step(nodes)
    return nodes


def present(resource: Node) -> set[str]:
    """What a path may begin with here: its elements, of choices also the bare name."""
    return set().union(*map(stems, resource)) | {""}


@lru_cache(maxsize=4096)
def stems(key: str) -> frozenset[str]:
    """`valueQuantity` is also `value`."""
    return frozenset([key, *(key[:i] for i, letter in enumerate(key) if letter.isupper())])


def _steps(word: re.Match[str], after: re.Match[str] | None) -> list[Step]:
    if word["as"]:
        return []
    if word["key"]:
        return [_where(word["key"], word["value"])]
    if word["target"]:
        return [_pointing(word["target"])]
    if word["url"]:
        return [_extension(word["url"])]
    typed = after["type"] if after is not None and after["as"] else ""
    steps = [_named(word["name"], typed)]
    return [*steps, _nth(int(word["at"]))] if word["at"] else steps


def _named(name: str, typed: str) -> Step:
    """An element; of a choice, the one of the type asked for, else whichever is there."""
    exact = name + typed[:1].upper() + typed[1:]

    def step(nodes: list[Node]) -> list[Node]:
        out: list[Node] = []
        for node in nodes:
            if not isinstance(node, dict):
                continue
            found = node.get(exact)
            if found is None:
                found = None if typed else _chosen(name, node)
            if isinstance(found, list):
                out += found
            elif found is not None:
                out.append(found)
        return out

    return step


def _chosen(name: str, node: Node) -> Node:
    size = len(name)
    keys = (k for k in node if k[:size] == name and k[size : size + 1].isupper())
    return next((node[k] for k in keys), None)


def _nth(at: int) -> Step:
    return lambda nodes: nodes[at : at + 1]


def _where(key: str, value: str) -> Step:
    return lambda nodes: [n for n in nodes if isinstance(n, dict) and n.get(key) == value]


def _pointing(kind: str) -> Step:
    """References to this kind; one that does not say its kind may be."""

    def points(node: Node) -> bool:
        text = node.get("reference", "") if isinstance(node, dict) else ""
        if not isinstance(text, str):
            return False
        named = f"{kind}/" in text or text.startswith(("urn:", "#"))
        return named or (isinstance(node, dict) and node.get("type") == kind)

    return lambda nodes: [n for n in nodes if points(n)]


def _extension(url: str) -> Step:
    def step(nodes: list[Node]) -> list[Node]:
        inside = (e for n in nodes if isinstance(n, dict) for e in n.get("extension") or ())
        mine = (e for e in inside if isinstance(e, dict) and e.get("url") == url)
        return [v for e in mine for k, v in e.items() if k.startswith("value")]

    return step


def _exists(path: str) -> Step:
    """`Patient.deceased.exists() and Patient.deceased != false`: true or false, never nothing."""
    inner = compiled(path.partition(".exists()")[0])

    def step(nodes: list[Node]) -> list[Node]:
        return [any(found is not False for found in walked(inner, node)) for node in nodes]

    return step
