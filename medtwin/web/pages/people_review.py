"""Who may be one person twice: side by side, what agrees and what differs; somebody decides."""

from collections.abc import Callable
from dataclasses import dataclass

from medtwin.record.person import Person
from medtwin.vault.access import Refused, Role
from medtwin.vault.consent import Purpose
from medtwin.vault.links import CannotLink, Pair, State
from medtwin.web import region as reader
from medtwin.web.page import Page, Visit
from medtwin.web.trouble import Trouble, Words, wrong_value

AT_ONCE = 10  # names are opened only for what is shown
TRAITS: tuple[tuple[str, Callable[[Person], str]], ...] = (
    ("name", lambda p: p.name),
    ("born", lambda p: f"{p.born:%-d %B %Y}" if p.born else ""),
    ("sex", lambda p: p.sex),
    ("address", lambda p: "; ".join(p.address)),
    ("telephone, e-mail", lambda p: "; ".join(p.contact)),
    ("identifiers", lambda p: "; ".join(p.identifiers)),
)


@dataclass(frozen=True)
class Row:
    """One trait of both, and whether it agrees, in a word."""

    trait: str
    one: str
    other: str
    word: str


@dataclass(frozen=True)
class Shown:
    """One pair: the columns where they may be seen, the reasons, and what was decided."""

    number: int
    one: str
    other: str
    likely: str
    found: tuple[str, ...]
    rows: tuple[Row, ...]
    closed: tuple[str, ...]
    put_off: bool
    keep: str = ""
    decided: str = ""


@dataclass(frozen=True)
class Review:
    """The list, and what is read as one already."""

    pairs: tuple[Shown, ...]
    more: int
    linked: tuple[Shown, ...]


def view(visit: Visit) -> Review:
    """The pairs that wait, likeliest first, and those that are joined."""
    waiting = visit.vault.review(visit.who)
    joined = visit.vault.links(visit.who)
    return Review(
        tuple(shown(visit, n, pair) for n, pair in enumerate(waiting[:AT_ONCE], 1)),
        max(len(waiting) - AT_ONCE, 0),
        tuple(decided(visit, n, pair) for n, pair in enumerate(joined, 1)),
    )


def shown(visit: Visit, number: int, pair: Pair) -> Shown:
    """One pair, with the columns that the vault opens to this reader."""
    one, why_not_one = described(visit, pair.one)
    other, why_not_other = described(visit, pair.other)
    return Shown(
        number,
        pair.one,
        pair.other,
        "" if pair.chance is None else f"{pair.chance:.0%}",
        pair.found,
        rows(one, other),
        tuple(why for why in (why_not_one, why_not_other) if why),
        pair.state is State.later,
    )


def decided(visit: Visit, number: int, pair: Pair) -> Shown:
    """A pair that is joined: who said so, when, and why. No name is opened for it."""
    when = reader.clock(pair.decided, visit.region) if pair.decided else ""
    said = f"{pair.by}, {when}: {pair.because}"
    keep = pair.keep or ""
    return Shown(number, pair.one, pair.other, "", pair.found, (), (), False, keep, said)


def described(visit: Visit, patient: str) -> tuple[Person | None, str]:
    """Who this is, or why that is not shown to this reader."""
    try:
        return visit.vault.who(visit.who, patient, Purpose.care), ""
    except Refused as refused:
        return None, f"{patient}: {refused.decision.because}"


def rows(one: Person | None, other: Person | None) -> tuple[Row, ...]:
    """Trait beside trait; what one of them leaves unsaid neither agrees nor differs."""
    if one is None and other is None:
        return ()
    said = [
        (trait, of(one) if one else "not open", of(other) if other else "not open")
        for trait, of in TRAITS
    ]
    both = one is not None and other is not None
    return tuple(Row(t, a, b, word(a, b) if both else "not compared here") for t, a, b in said)


def word(one: str, other: str) -> str:
    """Whether two entries agree, as they are written."""
    if not (one and other):
        return "said once" if one or other else "not said"
    return "the same" if one.casefold() == other.casefold() else "differs"


def join(visit: Visit) -> str:
    """They are one person, under the first of the two."""
    keep, other = asked(visit)
    return _done(lambda: visit.vault.link(visit.who, keep, other, because(visit)))


def apart(visit: Visit) -> str:
    """They are two people."""
    one, other = asked(visit)
    return _done(lambda: visit.vault.leave_apart(visit.who, one, other, because(visit)))


def later(visit: Visit) -> str:
    """Nobody can say yet."""
    one, other = asked(visit)
    return _done(lambda: visit.vault.ask_later(visit.who, one, other))


def part(visit: Visit) -> str:
    """It was a mistake: each record is again what it was."""
    one, other = asked(visit)
    return _done(lambda: visit.vault.unlink(visit.who, one, other, because(visit)))


def asked(visit: Visit) -> tuple[str, str]:
    """The two records the form is about."""
    one, other = visit.form.get("one", ""), visit.form.get("other", "")
    if not (one and other):
        raise wrong_value("one and other", f"{one} {other}", "two pseudonyms from the list")
    return one, other


def because(visit: Visit) -> str:
    """The reason, in the words of whoever decides."""
    return visit.form.get("because", "").strip()[:500]


def _done(act: Callable[[], object]) -> str:
    try:
        act()
    except CannotLink as why:
        words = Words(
            str(why), "these two records", "pairs as they stand now", "open the list anew"
        )
        raise Trouble(409, words) from None
    return "/people-review"


page = Page(
    "people_review",
    "Same person?",
    "/people-review",
    "records that may be of one person, side by side",
    view,
    roles=frozenset({Role.clinician, Role.operator}),
    glyph="twin",
    acts={"join": join, "apart": apart, "later": later, "part": part},
)
