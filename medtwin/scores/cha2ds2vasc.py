"""How likely atrial fibrillation is to cause a stroke, in points from 0 to 9.

Lip et al. (2010), Chest 137:263-272, table 2. Points are not a probability: yearly stroke rates
per point differ between cohorts, so none is given here.
"""

from medtwin.record import codes
from medtwin.scores import questions
from medtwin.scores.score import Points, Score


def cha2ds2vasc(
    age: float,
    female: float,
    heart_failure: float,
    hypertension: float,
    diabetes: float,
    stroke: float,
    vascular_disease: float,
) -> Points:
    """The points of Lip's table 2; each history is 1 for yes and 0 for no.

    >>> cha2ds2vasc(75, 1, 0, 0, 0, 0, 0).total
    3
    """
    because = {
        "congestive heart failure": int(heart_failure),
        "hypertension": int(hypertension),
        "age 75 or more": 2 * (age >= 75),
        "diabetes": int(diabetes),
        "stroke, TIA or thromboembolism": 2 * int(stroke),
        "vascular disease": int(vascular_disease),
        "age 65 to 74": int(65 <= age < 75),
        "female sex": int(female),
    }
    given = {factor: points for factor, points in because.items() if points}
    return Points("CHA2DS2-VASc", sum(given.values()), highest=9, because=given)


score = Score(
    name="CHA2DS2-VASc",
    reference="Lip et al. 2010, Chest 137:263-272",
    needs=(
        codes.age,
        questions.female,
        questions.heart_failure,
        questions.hypertension,
        questions.diabetes,
        questions.stroke,
        questions.vascular_disease,
    ),
    compute=cha2ds2vasc,
)
