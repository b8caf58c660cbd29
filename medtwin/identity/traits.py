"""What of a description tells people apart, brought into a form that can be compared."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from medtwin.record.dwelling import dwelling, folded
from medtwin.record.person import Person

TITLES = frozenset({"mr", "mrs", "ms", "miss", "dr", "prof", "sir", "jr", "sr", "ii", "iii", "md"})
PARTICLES = frozenset({"van", "von", "de", "den", "der", "del", "da", "di", "la", "le", "al", "el"})
SHORT = {
    "bill": "william", "will": "william", "liam": "william", "bob": "robert", "rob": "robert",
    "dick": "richard", "rick": "richard", "jim": "james", "jimmy": "james", "jack": "john",
    "johnny": "john", "mike": "michael", "mick": "michael", "tom": "thomas", "dave": "david",
    "dan": "daniel", "danny": "daniel", "chris": "christopher", "joe": "joseph",
    "tony": "anthony", "steve": "steven", "ed": "edward", "ted": "edward", "ben": "benjamin",
    "sam": "samuel", "alex": "alexander", "nick": "nicholas", "matt": "matthew",
    "andy": "andrew", "peggy": "margaret", "meg": "margaret", "maggie": "margaret",
    "liz": "elizabeth", "beth": "elizabeth", "betty": "elizabeth", "kate": "katherine",
    "kathy": "katherine", "katie": "katherine", "sue": "susan", "patty": "patricia",
    "pat": "patricia", "jenny": "jennifer", "jen": "jennifer", "becky": "rebecca",
    "debbie": "deborah", "barb": "barbara", "cindy": "cynthia", "sandy": "sandra",
    "chuck": "charles", "charlie": "charles", "larry": "lawrence", "greg": "gregory",
    "ron": "ronald", "don": "donald", "ken": "kenneth", "tim": "timothy", "jeff": "jeffrey",
    "josh": "joshua", "nate": "nathan", "abby": "abigail", "lexi": "alexandra",
    "mandy": "amanda", "vicky": "victoria", "gabe": "gabriel", "zach": "zachary",
}  # fmt: skip
"""Everyday names and what they are short for; English, as the public lists of them give."""


@dataclass(frozen=True, slots=True)
class Traits:
    """One description, folded to lower case without accents. What was not said is empty.

    `identifiers` are `system|value`; `numbers` are the last nine digits of telephones and whole
    e-mail addresses; `street` is the first line of the address, `postcode` its code.
    """

    family: str = ""
    given: str = ""
    more: tuple[str, ...] = ()
    born: date | None = None
    sex: str = ""
    street: str = ""
    postcode: str = ""
    numbers: frozenset[str] = frozenset()
    identifiers: frozenset[str] = frozenset()


def traits(who: Person) -> Traits:
    """What of this person tells them apart."""
    given, family = parts(who.name)
    street, postcode = dwelling(who.address)
    return Traits(
        family=family,
        given=given[0] if given else "",
        more=tuple(given[1:]),
        born=who.born,
        sex=who.sex if who.sex in ("male", "female") else "",
        street=street,
        postcode=postcode,
        numbers=frozenset(reachable(who.contact)),
        identifiers=frozenset(i for i in who.identifiers if i.rpartition("|")[2]),
    )


def parts(name: str) -> tuple[list[str], str]:
    """Given names and family name; "Family, Given" is understood, particles stay with theirs."""
    before, comma, after = name.partition(",")
    if comma and folded(after) and folded(after) not in TITLES:
        return _untitled(folded(after).split()), " ".join(_untitled(folded(before).split()))
    words = _untitled(folded(before).split())
    if len(words) < 2:
        return [], "".join(words)
    first = len(words) - 1
    while first > 1 and words[first - 1] in PARTICLES:
        first -= 1
    return words[:first], " ".join(words[first:])


def _untitled(words: Iterable[str]) -> list[str]:
    # records of generated people number their names
    return [w for w in (re.sub(r"\d+$", "", word) for word in words) if w and w not in TITLES]


def called(given: str) -> str:
    """The name this one is short for, or the name itself."""
    return SHORT.get(given, given)


def reachable(contact: tuple[str, ...]) -> Iterable[str]:
    """Telephone numbers by their last nine digits, e-mail addresses in lower case."""
    for line in contact:
        digits = re.sub(r"\D", "", line)
        if "@" in line:
            yield line.strip().lower()
        elif len(digits) >= 6:
            yield digits[-9:]
