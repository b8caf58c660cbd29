"""The weekly dose of warfarin that will probably suit, before the first INR is known.

    sqrt(dose) = 5.6044 - 0.2614 decades + 0.0087 height + 0.0128 weight
               - 0.8677 (VKORC1 A/G) - 1.6974 (A/A)
               - 0.5211 (CYP2C9 *1/*2) - 0.9357 (*1/*3) - 1.0616 (*2/*2) - 1.9206 (*2/*3)
               - 2.3312 (*3/*3) - 0.1092 (Asian) - 0.2760 (Black)
               + 1.1816 (enzyme inducer) - 0.5503 (amiodarone)

The pharmacogenetic algorithm of the International Warfarin Pharmacogenetics Consortium (2009),
N Engl J Med 360:753-764, appendix: a regression on 4,043 people in steady state with a target INR
of 2 to 3. decades is the age in whole decades, the enzyme inducers are carbamazepine, phenytoin
and rifampicin. It begins treatment; the INR steers it. The paper's race terms stand for what was
not measured: answer 0 to both where they do not describe the person.
"""

from math import floor

from medtwin.record import codes
from medtwin.record.codes import Code, Kind
from medtwin.scores.score import Estimate, Score

weekly_dose = Code("warfarin_weekly", "warfarin each week", "mg", low=0, high=300, kind=Kind.dose)
asian = Code("asian", "Asian", "1", low=0, high=1, kind=Kind.answer)
black = Code("black", "Black or African American", "1", low=0, high=1, kind=Kind.answer)
inducer = Code(
    "enzyme_inducer", "carbamazepine, phenytoin or rifampicin", "1", 0, 1, kind=Kind.answer
)
amiodarone = Code("amiodarone", "amiodarone", "1", low=0, high=1, kind=Kind.answer)

cyp2c9: dict[tuple[float, float], float] = {
    (0, 0): 0.0,
    (1, 0): -0.5211,
    (0, 1): -0.9357,
    (2, 0): -1.0616,
    (1, 1): -1.9206,
    (0, 2): -2.3312,
}
"""What each count of *2 and *3 alleles takes from the root of the dose."""
vkorc1 = (0.0, -0.8677, -1.6974)
"""What each count of A alleles takes from the root of the dose."""


def pharmacogenetic(
    age: float,
    height: float,
    weight: float,
    star2: float,
    star3: float,
    a_alleles: float,
    is_asian: float,
    is_black: float,
    induced: float,
    takes_amiodarone: float,
) -> Estimate:
    """Milligrams of warfarin each week; alleles are counts, answers are 1 or 0.

    A man of 60, 175 cm and 80 kg, with no weak allele:

    >>> round(pharmacogenetic(60, 175, 80, 0, 0, 0, 0, 0, 0, 0).value, 1)
    43.3
    >>> round(pharmacogenetic(60, 175, 80, 0, 1, 2, 0, 0, 0, 0).value, 1)
    15.6

    Raises ValueError for more than two CYP2C9 alleles.
    """
    if (star2, star3) not in cyp2c9:
        raise ValueError(
            f"{star2:g} CYP2C9*2 and {star3:g} CYP2C9*3 alleles; whole numbers, two at most "
            "together; look at the genotype report"
        )
    because = {
        "age": -0.2614 * floor(age / 10),
        "height": 0.0087 * height,
        "weight": 0.0128 * weight,
        "CYP2C9": cyp2c9[star2, star3],
        "VKORC1": vkorc1[int(a_alleles)],
        "race": -0.1092 * is_asian - 0.2760 * is_black,
        "enzyme inducer": 1.1816 * induced,
        "amiodarone": -0.5503 * takes_amiodarone,
    }
    return Estimate(weekly_dose, (5.6044 + sum(because.values())) ** 2, because)


def clinical(
    age: float,
    height: float,
    weight: float,
    is_asian: float,
    is_black: float,
    induced: float,
    takes_amiodarone: float,
) -> Estimate:
    """The same consortium's algorithm for people whose genotype is not known.

    >>> round(clinical(60, 175, 80, 0, 0, 0, 0).value, 1)
    31.9
    """
    because = {
        "age": -0.2546 * floor(age / 10),
        "height": 0.0118 * height,
        "weight": 0.0134 * weight,
        "race": -0.6752 * is_asian + 0.4060 * is_black,
        "enzyme inducer": 1.2799 * induced,
        "amiodarone": -0.5695 * takes_amiodarone,
    }
    return Estimate(weekly_dose, (4.0376 + sum(because.values())) ** 2, because)


score = Score(
    name="IWPC warfarin dose",
    reference="IWPC 2009, N Engl J Med 360:753-764",
    needs=(
        *(codes.age, codes.height, codes.weight),
        *(codes.cyp2c9_2, codes.cyp2c9_3, codes.vkorc1_a),
        *(asian, black, inducer, amiodarone),
    ),
    compute=pharmacogenetic,
)
