"""How well the kidneys filter, from one creatinine, age and sex, without race.

    eGFR = 142 min(Scr/k, 1)^a max(Scr/k, 1)^-1.200 0.9938^age (1.012 if female)

with k = 0.7 mg/dL and a = -0.241 for women, 0.9 and -0.302 for men. CKD-EPI 2021, creatinine:
Inker et al. (2021), N Engl J Med 385:1737-1749, table S1. For adults in a steady state.
"""

from datetime import timedelta

from medtwin.record import codes
from medtwin.scores import questions
from medtwin.scores.score import Estimate, Score


def ckd_epi(creatinine: float, age: float, female: float) -> Estimate:
    """Filtration in mL/min per 1.73 m2 of body surface, from mg/dL and years; female is 1, male 0.

    >>> round(ckd_epi(1.0, 50.0, 1.0).value)
    69
    """
    threshold, power, factor = (0.7, -0.241, 1.012) if female else (0.9, -0.302, 1.0)
    relative = creatinine / threshold
    level = min(relative, 1.0) ** power * max(relative, 1.0) ** -1.200
    ageing = 0.9938**age
    return Estimate(
        codes.egfr,
        142.0 * level * ageing * factor,
        because={"creatinine": level, "age": ageing, "female sex": factor},
    )


score = Score(
    name="CKD-EPI 2021",
    reference="Inker et al. 2021, N Engl J Med 385:1737-1749",
    needs=(codes.creatinine, codes.age, questions.female),
    compute=ckd_epi,
    fresh={codes.creatinine: timedelta(days=365)},
)
