"""What the words around a mention do to it: deny it, put it in the past, or give it to another.

The rules are those of NegEx and ConText: a cue reaches from where it stands, forwards or
backwards, to the end of the sentence or to a word that ends its reach; some phrases look like a
cue and are none. Chapman et al., J Biomed Inform 2001;34:301; Harkema et al., J Biomed Inform
2009;42:839. The list of phrases, `cues.tsv`, is our own.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from medtwin.notes.folding import words


@dataclass(frozen=True, slots=True)
class Cue:
    """A phrase that tells how to take the mentions it reaches.

    `does` is no, past, if, maybe, other, off, allergy or plan; `stop` ends every reach, `own`
    that of `other`, `turn` all but that; `none` does nothing. `ahead` is which way it reaches,
    `says` whose the thing is, or that a cue reaches both ways.
    """

    does: str
    ahead: bool = True
    says: str = ""


RELATIVES = (
    "mother|father|mom|dad|brother|brothers|sister|sisters|son|sons|daughter|daughters|aunt|uncle|"
    "grandmother|grandfather|grandparents|parents|sibling|siblings|cousin|cousins|husband|wife|"
    "maternal grandmother|maternal grandfather|paternal grandmother|paternal grandfather|niece|"
    "maternal aunt|maternal uncle|paternal aunt|paternal uncle|nephew|half sister|half brother|"
    "grandson|granddaughter|spouse|relatives|family members|family member|twin brother|twin sister"
)
IN_FAMILY = ("in the family", "runs in the family", "in his family", "in her family", "in family")
IN_FAMILY += ("sides of the family", "side of the family", "in both sides of the family")
OTHERS = "donor|kidney donor|family history|family history of|fh of|family hx of|roommate|boyfriend"
TELL = (
    "states|stated|reports|reported|says|said|notes|noted|noticed|thinks|denies|believes|brought|"
    "brings|describes|is concerned|and father state|feels|is here|was worried|observed|called|"
    "is worried|tells|told|confirms|gave|gives|provided"
)
WITH = "with his|with her|with their|to his|to her|per|per his|per her|according to|by his|by her"


def _relatives() -> dict[str, Cue]:
    found: dict[str, Cue] = {}
    for who in RELATIVES.split("|"):
        found[who] = Cue("other", says=who)
        for lead in ("in", "in his", "in her", "in the", "in a", "in one"):
            found[f"{lead} {who}"] = Cue("other", ahead=False, says=who)
        for verb in TELL.split("|"):
            found[f"{who} {verb}"] = Cue("no" if verb == "denies" else "none")
        for lead in WITH.split("|"):
            found[f"{lead} {who}"] = Cue("none")
    return found


@cache
def cues() -> dict[str, Cue]:
    """Every cue by its words."""
    found = _relatives()
    found |= {words(w): Cue("other", says=_short(w)) for w in OTHERS.split("|")}
    for lead in IN_FAMILY:
        found[lead] = Cue("other", ahead=False, says="family")
    for does, way, phrase in _listed():
        word, ahead = words(phrase), way == "ahead"
        before = found.get(word)
        both = ahead and before is not None and not before.ahead and before.does == does
        found[word] = Cue(does, ahead, "both" if both else "")
    return found


def _listed() -> list[list[str]]:
    """The lines of `cues.tsv`; those that reach ahead last, for they count where both are."""
    written = Path(__file__).with_name("cues.tsv").read_text(encoding="utf-8")
    rows = [s.split("\t") for s in written.splitlines() if s and not s.startswith("#")]
    return sorted(rows, key=lambda row: row[1] == "ahead")


def _short(who: str) -> str:
    return "donor" if "donor" in who else who if " " not in who and who != "fh" else "family"
