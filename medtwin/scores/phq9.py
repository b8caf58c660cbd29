"""How depressed somebody has felt over two weeks, by their own nine answers: 0 to 27.

Kroenke, Spitzer and Williams (2001), J Gen Intern Med 16:606-613: 5, 10, 15 and 20 points mark
mild, moderate, moderately severe and severe. Ten or more found major depression with a sensitivity
and a specificity of 88 %. Any answer but "not at all" to the ninth question is worth asking
about at once, whatever the sum.
"""

from datetime import timedelta

from medtwin.record import codes
from medtwin.scores.score import Points, Score

ASKED = (
    codes.phq9_interest, codes.phq9_mood, codes.phq9_sleep, codes.phq9_tired, codes.phq9_appetite,
    codes.phq9_failure, codes.phq9_focus, codes.phq9_pace, codes.phq9_harm,
)  # fmt: skip
LEVELS = ((20, "severe"), (15, "moderately severe"), (10, "moderate"), (5, "mild"), (0, "minimal"))


def phq9(*answers: float) -> Points:
    """The sum of nine answers, each 0 to 3, in the order of the form.

    >>> phq9(3, 0, 3, 1, 3, 0, 2, 1, 1).total
    14
    """
    given = {code.name: int(a) for code, a in zip(ASKED, answers, strict=True) if a}
    return Points("PHQ-9", sum(given.values()), highest=27, because=given)


def severity(total: int) -> str:
    """What Kroenke calls so many points."""
    return next(word for least, word in LEVELS if total >= least)


score = Score(
    name="PHQ-9",
    reference="Kroenke et al. 2001, J Gen Intern Med 16:606-613",
    needs=ASKED,
    compute=phq9,
    fresh=dict.fromkeys(ASKED, timedelta(days=14)),
)
