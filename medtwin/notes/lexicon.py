"""The dictionary of terms: what a note may mention, by all the words that mean it.

A line of the dictionary is `sort, name, codes, more, words`, tab or comma between. `sort` is
condition, finding, procedure, medication or measure. `codes` are SNOMED CT numbers of conditions,
findings and procedures, RxNorm and ATC of medicines; a measure's is the id of a code of the house,
or a LOINC number. `more` is `lasting` for an illness that stays, or the units of a measure, the one
meant where none is told first. `words` are parted by `|`; `!PE` counts only in capitals,
`-afebrile` says that there is none.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import ahocorasick

from medtwin.notes import context
from medtwin.notes.context import Cue
from medtwin.notes.folding import Folded, words
from medtwin.record import codes
from medtwin.record.codes import Code, Kind

SNOMED, RXNORM = "http://snomed.info/sct", "http://www.nlm.nih.gov/research/umls/rxnorm"
LOINC, ATC = "http://loinc.org", "http://www.whocc.no/atc"
KINDS = {
    "condition": Kind.condition,
    "finding": Kind.answer,
    "procedure": Kind.procedure,
    "medication": Kind.medication,
    "measure": Kind.measurement,
}


class BadTerm(ValueError):
    """A line of a dictionary that cannot be used."""


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that notes mention: its sort, name and code, and what else is known of it."""

    sort: str
    name: str
    code: Code
    lasting: bool = False
    units: tuple[str, ...] = ()
    denied: bool = False

    @property
    def allergy(self) -> Code:
        """That somebody must not be given it."""
        return codes.opened(f"{self.code.id}|allergy", f"{self.name} allergy", "1", Kind.allergy)


@dataclass(frozen=True, slots=True)
class Hit:
    """A term or a cue, and the characters of the text where it stands."""

    start: int
    end: int
    what: Term | Cue


@dataclass(frozen=True)
class Lexicon:
    """Every term by each of its words, found in one pass together with the cues around them."""

    terms: dict[str, Term]
    capitals: frozenset[str]
    machine: ahocorasick.Automaton = field(repr=False, compare=False)

    def extended(self, written: str) -> "Lexicon":
        """With the lines of a user's own dictionary; what it says of a word counts.

        Raises `BadTerm` with the line that cannot be used.
        """
        return _made(lines(written), self)

    def hits(self, text: str, plain: Folded) -> list[Hit]:
        """The longest terms and cues, in order; none reaches into another."""
        found: list[Hit] = []
        place, flat = plain.place, not plain.marks
        for last, (length, what, shouted) in self.machine.iter(plain.text):
            first = last - length + 2
            start, end = (first - 1, last - 1) if flat else (place(first), place(last - 1) + 1)
            if shouted and not text[start:end].isupper():
                continue
            longest = True
            while found and found[-1].end > start:
                if found[-1].end - found[-1].start > end - start:
                    longest = False
                    break
                found.pop()
            if longest:
                found.append(Hit(start, end, what))
        return found


@cache
def english() -> Lexicon:
    """The dictionary that comes with the house."""
    written = Path(__file__).with_name("terms.tsv").read_text(encoding="utf-8")
    return _made(lines(written), None)


Line = tuple[Term, tuple[str, ...]]


def lines(written: str) -> Iterator[Line]:
    """Each line of a dictionary as its term and the words for it."""
    told = [s for s in written.splitlines() if s.strip() and not s.startswith("#")]
    between = "\t" if any("\t" in s for s in told[:1]) else ","
    for row in csv.reader(told, delimiter=between):
        if [c.strip() for c in row[:2]] == ["sort", "name"]:
            continue
        sort, name, numbers, more, said = (*(c.strip() for c in row), "", "", "", "", "")[:5]
        if sort not in KINDS or not name:
            allowed = ", ".join(KINDS)
            raise BadTerm(f"line {row!r} of a dictionary: the sort must be one of {allowed}")
        yield _term(sort, name, numbers, more), (name, *filter(None, said.split("|")))


def _term(sort: str, name: str, numbers: str, more: str) -> Term:
    first = next((n.strip() for n in numbers.split(",") if n.strip()), "")
    if sort == "measure":
        units = tuple(u for u in more.split(",") if u)
        ours = codes.known().get(first)
        token = f"{LOINC}|{first}" if first else f"text|{name}"
        code = ours or codes.opened(token, name, units[0] if units else "1")
        return Term(sort, name, code, units=units)
    system = RXNORM if sort == "medication" else SNOMED
    system = system if first.isdigit() else ATC
    token = f"{system}|{first}" if first else f"text|{name}"
    return Term(sort, name, codes.opened(token, name, "1", KINDS[sort]), more == "lasting")


def _made(added: Iterable[Line], onto: Lexicon | None) -> Lexicon:
    terms = dict(onto.terms) if onto else {}
    capitals = set(onto.capitals) if onto else set[str]()
    for term, said in added:
        for word in said:
            shout, denied = word.startswith("!"), word.startswith("-")
            for key in _spelt(words(word), term):
                terms[key] = replace(term, denied=True) if denied else term
                (capitals.add if shout else capitals.discard)(key)
    return Lexicon(terms, frozenset(capitals), _machine(terms, capitals))


def _spelt(key: str, term: Term) -> Iterator[str]:
    yield key
    plural = term.sort in ("condition", "finding", "procedure") and len(key) > 5
    if plural and key[-1] not in "sy":
        yield key + "s"


def _machine(terms: dict[str, Term], capitals: set[str]) -> ahocorasick.Automaton:
    machine = ahocorasick.Automaton()
    for key, cue in context.cues().items():
        machine.add_word(f" {key} ", (len(key) + 2, cue, False))
    for key, term in terms.items():
        machine.add_word(f" {key} ", (len(key) + 2, term, key in capitals))
    machine.make_automaton()
    return machine
