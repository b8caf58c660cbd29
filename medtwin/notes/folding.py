"""Text made plain for the dictionary: small letters, single spaces, and the way back."""

import re
from bisect import bisect_right
from dataclasses import dataclass

RUNS = re.compile(r"\s{2,}")


class _Plain(dict[int, str]):
    """Each letter or digit as a small one, everything else as a space; one for one."""

    def __missing__(self, key: int) -> str:
        small = chr(key).lower()
        plain = small if len(small) == 1 and small.isalnum() else " "
        self[key] = plain
        return plain


PLAIN = _Plain()


@dataclass(frozen=True, slots=True)
class Folded:
    """A text as the dictionary reads it: a space at each end, runs of white space as one.

    `marks` are the places behind each run, `lost` how many characters were lost up to there.
    """

    text: str
    marks: tuple[int, ...]
    lost: tuple[int, ...]

    def place(self, index: int) -> int:
        """Where in the original the character at `index` of the folded text stands."""
        if not self.marks:
            return index - 1
        run = bisect_right(self.marks, index)
        return index - 1 + (self.lost[run - 1] if run else 0)


def words(text: str) -> str:
    """A term as the dictionary keeps it."""
    return " ".join(text.translate(PLAIN).split())


def folded(text: str) -> Folded:
    """The text, folded."""
    marks, lost, gone, pieces, last = [], [], 0, [], 0
    for run in RUNS.finditer(text):
        pieces.append(text[last : run.start()])
        last = run.end()
        gone += last - run.start() - 1
        marks.append(last + 1 - gone)
        lost.append(gone)
    pieces.append(text[last:])
    joined = " ".join(pieces) if marks else text
    return Folded(f" {joined.translate(PLAIN)} ", tuple(marks), tuple(lost))
