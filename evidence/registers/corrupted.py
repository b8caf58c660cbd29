"""People who do not exist, and second descriptions of some with what goes wrong in registers.

Synthetic. Names are drawn by Zipf's law from common English given and family names and from
compounds of English place words; streets, postcodes and telephone numbers are invented. A fifth
live with the one before them in the register, under one roof, family name and telephone: among
them twins, and parents whose child bears their name.

A second description suffers, each by chance: slips of typing in names (insert, drop, change,
exchange two letters), everyday names, given and family name exchanged, a married name, an initial
alone, day and month exchanged, one digit of the date wrong, a move to another address, another
telephone, and what was not asked: one of these for half of the records, two for a third, three
for the rest. The rates are ours; nobody has counted them in a real register.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from medtwin.identity.traits import SHORT
from medtwin.record.person import Person

WORDS = {
    k: v.split() for k, v in json.loads(Path(__file__).with_name("words.json").read_text()).items()
}
GIVEN = {sex: WORDS[sex] for sex in ("male", "female")}


def people(many: int, seed: int, kin: float = 0.2) -> list[Person]:
    """So many people, of whom a share live with the one before them."""
    rng = np.random.default_rng(seed)
    families = [*WORDS["family"], *(h + t for h in WORDS["head"] for t in WORDS["tail"])]
    given = {sex: _zipf(len(names)) for sex, names in GIVEN.items()}
    family = _zipf(len(families))
    found: list[Person] = []
    for i in range(many):
        one = _person(i, rng, families, family, given)
        found.append(_relative(one, found[-1], rng) if found and rng.random() < kin else one)
    return found


def _relative(one: Person, of: Person, rng: np.random.Generator) -> Person:
    """Somebody of the same household: a twin, a child of the same name, or just kin."""
    given, _ = _names(one)
    _, family = _names(of)
    kin = replace(one, name=" ".join([*given, family]), address=of.address, contact=of.contact)
    kind = rng.random()
    if kind < 0.05:
        return replace(kin, born=of.born)
    if kind < 0.15:
        return replace(kin, name=of.name, sex=of.sex)
    return kin


def _zipf(many: int) -> np.ndarray:
    shares = 1 / (np.arange(many) + 5.0)
    return shares / shares.sum()


def _person(
    number: int, rng: np.random.Generator, families: list[str], family: np.ndarray, given: dict
) -> Person:
    sex = "female" if rng.random() < 0.51 else "male"
    names = rng.choice(GIVEN[sex], 1 + int(rng.random() < 0.5), replace=False, p=given[sex])
    name = " ".join([*names, families[rng.choice(len(families), p=family)]])
    born = date(1925, 1, 1) + timedelta(days=int(rng.integers(0, 36_000)))
    return Person(
        (f"urn:register:{number}|{number}",), name, born, None, sex, (_phone(rng),), (_home(rng),)
    )


def _phone(rng: np.random.Generator) -> str:
    return f"+44 7{rng.integers(10**8, 10**9)}"


def _home(rng: np.random.Generator) -> str:
    street = f"{rng.integers(1, 200)} {rng.choice(WORDS['streets'])} {rng.choice(WORDS['kinds'])}"
    return f"{street}, Town, {rng.integers(10_000, 10_800)}"


def second(who: Person, rng: np.random.Generator) -> Person:
    """The same person as another register has them, with one to three things wrong."""
    other = replace(who, identifiers=())
    many = int(rng.choice([1, 2, 3], p=[0.5, 0.35, 0.15]))
    wrong = rng.choice(len(WRONGS), many, replace=False, p=CHANCES)
    for which in wrong:
        other = WRONGS[which][1](other, rng)
    return other


def _slip(text: str, rng: np.random.Generator) -> str:
    at = int(rng.integers(1, max(len(text), 2)))
    letter = str(rng.choice(list("abcdefghijklmnoprstuvwy")))
    ways: tuple[Callable[[], str], ...] = (
        lambda: text[:at] + letter + text[at:],
        lambda: text[:at] + text[at + 1 :],
        lambda: text[:at] + letter + text[at + 1 :],
        lambda: text[: at - 1] + text[at : at + 1] + text[at - 1 : at] + text[at + 1 :],
    )
    return ways[int(rng.integers(len(ways)))]()


def _names(who: Person) -> tuple[list[str], str]:
    *given, family = who.name.split()
    return given, family


def _family_slip(who: Person, rng: np.random.Generator) -> Person:
    given, family = _names(who)
    return replace(who, name=" ".join([*given, _slip(family, rng)]))


def _given_slip(who: Person, rng: np.random.Generator) -> Person:
    (first, *more), family = _names(who)
    return replace(who, name=" ".join([_slip(first, rng), *more, family]))


def _everyday(who: Person, rng: np.random.Generator) -> Person:
    (first, *_), family = _names(who)
    short = [s for s, whole in SHORT.items() if whole == first.lower()]
    return replace(who, name=f"{rng.choice(short) if short else first[0]} {family}")


def _exchanged(who: Person, rng: np.random.Generator) -> Person:
    (first, *_), family = _names(who)
    return replace(who, name=f"{family} {first}")


def _married(who: Person, rng: np.random.Generator) -> Person:
    given, _ = _names(who)
    if who.sex != "female":
        return _family_slip(who, rng)
    return replace(who, name=" ".join([*given, str(rng.choice(WORDS["family"]))]))


def _day_month(who: Person, rng: np.random.Generator) -> Person:
    born = who.born
    if born is None or born.day > 12:
        return _digit(who, rng)
    return replace(who, born=date(born.year, born.day, born.month))


def _digit(who: Person, rng: np.random.Generator) -> Person:
    """Another digit in one place of the date, where that is a date."""
    if who.born is None:
        return who
    said = list(who.born.isoformat())
    for _ in range(20):
        at = int(rng.choice([2, 3, 5, 6, 8, 9]))
        tried = [*said[:at], str(rng.integers(10)), *said[at + 1 :]]
        with suppress(ValueError):
            born = date.fromisoformat("".join(tried))
            if born != who.born:
                return replace(who, born=born)
    return who


def _moved(who: Person, rng: np.random.Generator) -> Person:
    return replace(who, address=(_home(rng),))


def _street_slip(who: Person, rng: np.random.Generator) -> Person:
    if not who.address:
        return who
    street, comma, rest = who.address[0].partition(",")
    return replace(who, address=(_slip(street, rng) + comma + rest,))


def _new_phone(who: Person, rng: np.random.Generator) -> Person:
    return replace(who, contact=(_phone(rng),))


def _unasked(who: Person, rng: np.random.Generator) -> Person:
    gone = ("contact", "address", "born", "sex")[int(rng.choice(4, p=[0.45, 0.3, 0.1, 0.15]))]
    empty = {"contact": (), "address": (), "born": None, "sex": ""}
    return replace(who, **{gone: empty[gone]})


WRONGS: tuple[tuple[float, Callable[[Person, np.random.Generator], Person]], ...] = (
    (0.18, _family_slip), (0.18, _given_slip), (0.1, _everyday), (0.03, _exchanged),
    (0.05, _married), (0.04, _day_month), (0.08, _digit), (0.08, _moved), (0.1, _street_slip),
    (0.08, _new_phone), (0.08, _unasked),
)  # fmt: skip
CHANCES = np.array([c for c, _ in WRONGS])
