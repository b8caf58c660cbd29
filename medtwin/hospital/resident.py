"""Who lives in the generated hospital: people who do not exist, with bodies, habits and devices."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cache

import numpy as np

from medtwin.physiology.virtual_people import VirtualPeople, people

most = 16


@dataclass(frozen=True)
class Habits:
    """How somebody lives with diabetes: meals, and what goes wrong with them.

    `meals` are (hour, grams); `snacks` how many a day; `hides` the chance that a snack is not
    entered, `forgets` that a meal's bolus is; `miscounts` the spread of counted carbohydrate
    (21 % in Brazeau et al. 2013, Diabetes Res Clin Pract 99:19); `boldness` multiplies every
    dose; `meter` is how many times a day a finger is pricked.
    """

    meals: tuple[tuple[float, float], ...] = ((7.25, 55.0), (12.5, 70.0), (18.75, 75.0))
    snacks: float = 1.2
    hides: float = 0.4
    forgets: float = 0.04
    miscounts: float = 0.2
    boldness: float = 0.85
    meter: int = 0


@dataclass(frozen=True)
class Fault:
    """Something wrong with a device, again and again: `first` is when, from the opening on."""

    first: timedelta
    lasts: timedelta
    every: timedelta

    def present(self, at: datetime, opened: datetime) -> bool:
        """Whether it is there at this moment."""
        since = at - opened - self.first
        return since >= timedelta(0) and since % self.every < self.lasts


@dataclass(frozen=True)
class Resident:
    """One person nobody is behind: `number` keys every draw, `body` is one drawn adult.

    `programmed` is how far their pump's basal rate is from the one that would suit them.
    """

    number: int
    name: str
    sex: str
    born: date
    body: VirtualPeople
    programmed: float = 1.0
    habits: Habits = Habits()
    conditions: tuple[str, ...] = ()
    stuck: Fault | None = None
    silent: Fault | None = None
    meter_error: float = 1.0
    story: str = ""
    choices: tuple[str, ...] = field(default=("care", "twin"))


hour, day = timedelta(hours=1), timedelta(days=1)

# Name, sex, age, conditions; invented, alike to nobody.
register = (
    ("Ada Brook", "female", 34, ("hypothyroidism",)),
    ("Ben Castell", "male", 22, ()),
    ("Chiara Dunmore", "female", 47, ("hypertension",)),
    ("Dan Eskola", "male", 58, ("hypertension", "retinopathy")),
    ("Edda Farrow", "female", 29, ()),
    ("Femi Galanis", "male", 41, ()),
    ("Greta Holm", "female", 66, ("hypertension", "kidney disease", "atrial fibrillation")),
    ("Hugo Iversen", "male", 37, ()),
    ("Ines Jarvi", "female", 52, ("hypothyroidism",)),
    ("Jon Kestrel", "male", 74, ("hypertension", "kidney disease", "retinopathy")),
    ("Kaya Lindqvist", "female", 25, ()),
    ("Leo Marchetti", "male", 44, ("hypertension",)),
    ("Mira Norwood", "female", 61, ("hypertension",)),
    ("Nils Okafor", "male", 31, ()),
    ("Olga Petrov", "female", 39, ()),
    ("Pio Quintana", "male", 55, ()),
)

often = Habits(meter=4)
lives: tuple[dict[str, object], ...] = (
    {
        "story": "careful, counts well",
        "habits": Habits(miscounts=0.1, snacks=0.5, hides=0.1, boldness=1.0),
    },
    {"story": "forgets boluses", "habits": Habits(forgets=0.35, snacks=1.2)},
    {"story": "the sensor sticks", "stuck": Fault(-2 * hour, 4 * hour, 2 * day)},
    {"story": "the data stop", "silent": Fault(-1.5 * hour, 7 * hour, 3 * day)},
    {"story": "meter and sensor disagree", "habits": often, "meter_error": 1.45},
    {"story": "has not agreed to anything", "choices": ()},
    {"story": "doses boldly and falls low", "habits": Habits(boldness=1.35, meter=3)},
    {"story": "large evening meals", "habits": Habits(meals=((8, 30), (13, 50), (20.5, 110)))},
    {"story": "has agreed to care, not to a twin", "choices": ("care",), "habits": often},
    {"story": "meals at regular hours", "habits": Habits(snacks=0.4, miscounts=0.15, meter=2)},
    {"story": "works at night", "habits": Habits(meals=((1, 50), (15.5, 45), (20, 60)))},
    {"story": "an ordinary life"},
)


def residents(count: int, seed: int, opened: datetime) -> tuple[Resident, ...]:
    """The first `count` people of the generated hospital, each the same whatever the count.

    Raises ValueError for more than the register holds.
    """
    if not 1 <= count <= most:
        raise ValueError(f"a generated hospital of {count} people; 1 to {most} are allowed")
    return tuple(_resident(i, seed, opened) for i in range(count))


def _resident(i: int, seed: int, opened: datetime) -> Resident:
    name, sex, age, conditions = register[i]
    rng = np.random.default_rng([seed, i, 0])
    born = opened.date() - timedelta(days=round(365.25 * (age + 0.2 + 0.6 * rng.random())))
    body = bodies(seed).only(slice(i, i + 1))
    programmed = float(np.exp(rng.normal(-0.08, 0.1)))
    one = Resident(i, f"{name} (synthetic)", sex, born, body, programmed, conditions=conditions)
    return replace(one, **lives[min(i, len(lives) - 1)])


@cache
def bodies(seed: int) -> VirtualPeople:
    """The drawn adults, as many as the register has names."""
    return people(most, np.random.default_rng([seed, 1]))
