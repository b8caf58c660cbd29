"""Joining two records and parting them again: asked, written down, and undone without a trace.

Undoing is exact because nothing is moved: a link only says which records are read together.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import reduce

from medtwin.identity.arrival import Match
from medtwin.record.codes import Code
from medtwin.record.person import Person, together
from medtwin.vault import facts, links, people, retirement
from medtwin.vault.access import Action, Principal, Refused, Role
from medtwin.vault.consent import Decision
from medtwin.vault.links import CannotLink, Pair, State
from medtwin.vault.retirement import Certificate
from medtwin.vault.seal import Seal
from medtwin.vault.store import Store, Work, decided
from medtwin.vault.times import moment

the_vault = Principal("the vault", Role.system)


def opened(store: Store, work: Work) -> Iterator[tuple[Seal, Mapping[str, Code]]]:
    """Each record that is read here, its seal and what its codes mean."""
    for patient in work.whole:
        seal = store.seal_of(patient)
        yield seal, facts.meanings(work.connection, seal)


def person(store: Store, work: Work) -> Person:
    """Who they are: as the record asked for says, and where it is silent as the others do."""
    told = [(store.seal_of(p), people.sealed_person(work.connection, p)) for p in work.whole]
    said = [people.person(seal, sealed) for seal, sealed in told if sealed is not None]
    return reduce(together, reversed(said), Person())


def link(store: Store, principal: Principal, keep: str, other: str, because: str) -> Pair:
    """Both records are of one person; `CannotLink` if they are joined already."""
    with _asked(store, principal, Action.link, (keep, other)) as work:
        links.linkable(work.connection, keep, other)
        found = _pair(store, work, keep, other)
        return _decided(store, work, replace(found, keep=keep), State.linked, principal, because)


def unlink(store: Store, principal: Principal, pair: tuple[str, str], because: str) -> Pair:
    """They are two people after all."""
    with _asked(store, principal, Action.unlink, pair) as work:
        found = links.pair_of(work.connection, store.keyring.house, *pair)
        if found is None or found.state is not State.linked:
            raise CannotLink(f"{pair[0]} and {pair[1]} are not linked; see the list of links")
        return _decided(store, work, replace(found, keep=None), State.parted, principal, because)


def settle(
    store: Store, principal: Principal, pair: tuple[str, str], state: State, because: str
) -> Pair:
    """What somebody decided about a pair on the review list, other than joining it."""
    with _asked(store, principal, Action.link, pair) as work:
        found = links.pair_of(work.connection, store.keyring.house, *pair)
        if found is None or found.state not in links.open_to_review:
            raise CannotLink(f"{pair[0]} and {pair[1]} are not on the review list; see the list")
        return _decided(store, work, found, state, principal, because)


def link_sure(store: Store, work: Work, found: Sequence[tuple[str, Match]]) -> None:
    """Joined without asking, because the operator's setting says so; written down like any other.

    The record that was there first is kept; a pair that somebody has decided on stays as it is.
    """
    c, house = work.connection, store.keyring.house
    for newcomer, match in found:
        pair = links.pair_of(c, house, newcomer, match.patient)
        joined = match.patient in links.group(c, newcomer)
        if pair is None or pair.state is not State.waiting or joined:
            continue
        because = f"surely one person: {', '.join(pair.found)}"
        _decided(store, work, replace(pair, keep=match.patient), State.linked, the_vault, because)
        allowed = Decision(True, "surely one person, and the setting says to link")
        for one, other in ((newcomer, match.patient), (match.patient, newcomer)):
            work.say(the_vault, Action.link, one, None, allowed, {"with": other})


def end_all(
    store: Store, work: Work, principal: Principal, patient: str, because: str
) -> Certificate:
    """The end of this record begins, and of all that are linked with it: they are one person's."""
    ring = store.keyring
    first, *others = links.group(work.connection, patient)
    certificate = retirement.begin(work, ring, principal, first, because)
    for other in others:
        retirement.begin(work, ring, principal, other, f"{because} (linked with {first})")
        said = Decision(True, f"linked with {first}, whose record ends")
        work.say(principal, Action.retire, other, None, said)
    return certificate


@contextmanager
def _asked(
    store: Store, principal: Principal, action: Action, pair: tuple[str, str]
) -> Iterator[Work]:
    """A transaction about two people, if it is allowed of both; a line for each of them."""
    with store.writing() as work:
        asked = [(p, decided(work.connection, principal, action, p, None)) for p in pair]
        no = next(((d, p) for p, d in asked if not d.allowed), None)
        for (patient, decision), other in zip(asked, reversed(pair), strict=True):
            work.say(principal, action, patient, None, decision, {"with": other})
        if no is None:
            yield work
    if no is not None:
        raise Refused(no[0], principal, action, no[1])


def _pair(store: Store, work: Work, keep: str, other: str) -> Pair:
    house, c = store.keyring.house, work.connection
    links.suspect(c, house, (keep, other), work.at, (), None)
    found = links.pair_of(c, house, keep, other)
    if found is None:
        raise CannotLink(f"{keep} and {other} could not be joined; try again")
    return found


def _decided(
    store: Store, work: Work, pair: Pair, state: State, by: Principal, because: str
) -> Pair:
    if not because.strip():
        raise CannotLink(f"{pair.one} and {pair.other}: say why; whoever looks later must know")
    name = by.signature
    links.decide(work.connection, store.keyring.house, pair, state, work.at, name, because)
    return replace(pair, state=state, decided=moment(work.at), by=name, because=because)
