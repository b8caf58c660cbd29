"""How anxious somebody has felt over two weeks, by their own seven answers: 0 to 21.

Spitzer, Kroenke, Williams and Loewe (2006), Arch Intern Med 166:1092-1097: 5, 10 and 15 points
mark mild, moderate and severe; 10 or more found generalised anxiety with a sensitivity of 89 % and
a specificity of 82 %.
"""

from datetime import timedelta

from medtwin.record import codes
from medtwin.scores.score import Points, Score

ASKED = (
    codes.gad7_nervous, codes.gad7_control, codes.gad7_worry, codes.gad7_relax,
    codes.gad7_restless, codes.gad7_irritable, codes.gad7_afraid,
)  # fmt: skip
LEVELS = ((15, "severe"), (10, "moderate"), (5, "mild"), (0, "minimal"))


def gad7(*answers: float) -> Points:
    """The sum of seven answers, each 0 to 3, in the order of the form.

    >>> gad7(3, 1, 3, 3, 3, 3, 0).total
    16
    """
    given = {code.name: int(a) for code, a in zip(ASKED, answers, strict=True) if a}
    return Points("GAD-7", sum(given.values()), highest=21, because=given)


def severity(total: int) -> str:
    """What Spitzer calls so many points."""
    return next(word for least, word in LEVELS if total >= least)


score = Score(
    name="GAD-7",
    reference="Spitzer et al. 2006, Arch Intern Med 166:1092-1097",
    needs=ASKED,
    compute=gad7,
    fresh=dict.fromkeys(ASKED, timedelta(days=14)),
)
