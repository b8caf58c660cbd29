"""What a resource can be found by: keyed digests of its words, its times, what it points at.

Nothing here can be read: a word is 64 bits of a digest keyed by the house. Only times are in
clear (microseconds), and of them neither birth nor death. What is not indexed (quantities, free
text of clinical resources) is answered by opening what is left, inside the vault.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import blake2b
from typing import Any

from medtwin.vault.resource_paths import Path, present, walked
from medtwin.vault.resource_values import READERS, Parameter, Resource, parameters, plain, tokens

longest = 20  # letters of a word's beginning that are indexed
people_kinds = frozenset({"Patient", "Practitioner", "PractitionerRole", "Person", "RelatedPerson"})
named_kinds = people_kinds | {"Organization", "Location", "HealthcareService", "Questionnaire"}
of_identity = frozenset({"birthdate", "death-date"})
# The same as other parameters together; asked for as those.
together: Mapping[str, tuple[str, ...]] = {
    "Observation.combo-code": ("code", "component-code"),
    "Observation.combo-value-concept": ("value-concept", "component-value-concept"),
    "Observation.combo-data-absent-reason": ("data-absent-reason", "component-data-absent-reason"),
}


@dataclass(frozen=True, slots=True)
class Indexed:
    """The words of one resource, its times (word, first, last) and its links (target, word).

    `systems` are those its codes come in, by parameter.
    """

    words: set[int]
    times: set[tuple[int, int, int]]
    links: set[tuple[int, int]]
    systems: set[tuple[str, str]]


def nothing() -> Indexed:
    """What is found by its id only."""
    return Indexed(set(), set(), set(), set())


def digest(key: bytes, text: str) -> int:
    """64 bits that are equal for equal words, and tell nothing else."""
    return _digest(key, text)


@lru_cache(maxsize=200_000)
def _digest(key: bytes, text: str) -> int:
    return digest_once(key, text)


def digest_once(key: bytes, text: str) -> int:
    """The same for words that hardly come twice."""
    short = blake2b(text.encode(errors="surrogatepass"), key=key, digest_size=8).digest()
    return int.from_bytes(short, "big", signed=True)


def name(key: bytes, kind: str, id_: str) -> int:
    """What a resource is called in the store."""
    return digest_once(key, f"N|{kind}/{id_}")


def target(key: bytes, reference: str) -> int:
    """What a reference points at: a resource here by kind and id, or an address elsewhere."""
    return digest(key, f"N|{reference}")  # many point at one visit


def owning(parameter: Parameter) -> bool:
    """Whether this parameter asks whose the resource is; that is a column of its own."""
    return parameter.type == "reference" and parameter.name in ("patient", "subject")


def is_indexed(parameter: Parameter) -> bool:
    """Whether the store can answer it without opening anything."""
    if parameter.type == "string":
        return parameter.kind in named_kinds and parameter.name != "phonetic"
    if f"{parameter.kind}.{parameter.name}" in together:
        return False
    return parameter.type in ("token", "uri", "date", "reference")


@cache
def _asked(kind: str) -> dict[str, tuple[tuple[Parameter, str, Path], ...]]:
    """The paths to walk, by the element they begin with."""
    wanted = (p for p in parameters(kind).values() if is_indexed(p) and p.name != "patient")
    asked: dict[str, tuple[tuple[Parameter, str, Path], ...]] = {}
    for parameter in wanted:
        for path in parameter.paths:
            one = (parameter, f"{kind}.{parameter.name}|", path)
            asked[path.first] = (*asked.get(path.first, ()), one)
    return asked


def indexed(
    key: bytes, kind: str, resource: Resource, refers: Mapping[str, str], owner: str
) -> Indexed:
    """What this resource can be found by. `owner` is `Patient/id` of whoever it is about."""
    found = nothing()
    asked = _asked(kind)
    for first in present(resource).intersection(asked):
        for parameter, prefix, path in asked[first]:
            nodes = walked(path, resource)
            if not nodes:
                continue
            if parameter.type == "token":
                for node in nodes:
                    _add_tokens(key, found, prefix, node)
                continue
            read = READERS[parameter.type]
            values = [value for node in nodes for value in read(node)]
            _add(key, found, parameter, prefix, values, refers, owner)
    return found


def _add_tokens(key: bytes, found: Indexed, prefix: str, node: Any) -> None:
    """Concepts are most of what there is to index, so they are read without a detour."""
    coding = node.get("coding") if type(node) is dict else None
    if coding is None:
        pairs = [(system, code) for system, code, _ in tokens(node)]
    else:
        pairs = [(_system(one), one.get("code")) for one in coding]
    for system, code in pairs:
        if code:
            found.words.add(token_word(key, prefix, system, code))
            found.systems.add((prefix, system))


def _add(
    key: bytes,
    found: Indexed,
    parameter: Parameter,
    prefix: str,
    values: Iterable[Any],
    refers: Mapping[str, str],
    owner: str,
) -> None:
    if parameter.type == "date":
        _add_times(key, found, parameter, prefix, values)
    elif parameter.type == "reference":
        word = digest(key, f"L|{prefix}")
        said = (refers.get(v, v).split("/_history/")[0] for v in values)
        mine = owner if owning(parameter) else None
        found.links.update((target(key, r), word) for r in said if r and r != mine)
    elif parameter.type == "string":
        found.words.update(digest_once(key, w) for v in values for w in beginnings(prefix, v))
    else:
        found.words.update(digest(key, f"U|{prefix}{v}") for v in values)


def _system(coding: Resource) -> str:
    system = coding.get("system")
    return system if type(system) is str and "\0" not in system else ""


@lru_cache(maxsize=100_000)
def token_word(key: bytes, prefix: str, system: str, code: str) -> int:
    """A code with its system."""
    return digest_once(key, f"T|{prefix}{system}|{code}")


def _add_times(
    key: bytes, found: Indexed, parameter: Parameter, prefix: str, values: Iterable[Any]
) -> None:
    for low, high in values:
        if parameter.name in of_identity:
            found.words.add(digest(key, f"D|{prefix}{low}|{high}"))
        else:
            found.times.add((digest(key, f"D|{prefix}"), low, high))


def beginnings(prefix: str, value: str) -> Iterator[str]:
    """A word and everything it begins with, as digests are made of them."""
    bare = plain(value)
    for part in {bare, *bare.split()}:
        yield from (f"S|{prefix}{part[:n]}" for n in range(1, min(len(part), longest) + 1))
