"""Four invented hours of somebody with type 1 diabetes: nobody is behind them."""

from datetime import UTC, datetime, timedelta
from math import sin

from medtwin.twin_suite.adapter import Change, Fact, Story, Who

glucose, bolus = "glucose, mg/dL", "insulin bolus, U"
basal, carbohydrate = "insulin basal, U/h", "carbohydrate, g"
began = datetime(2031, 5, 4, 6, tzinfo=UTC)
every = timedelta(minutes=5)
somebody = Who(
    "Wilhelmina Inventedname", "suite|0047-11-invented", "fond of reading-glasses from Utrecht"
)


def _at(minutes: float) -> datetime:
    return began + timedelta(minutes=minutes)


def _fact(minutes: float, what: str, value: float) -> Fact:
    return Fact(_at(minutes), what, value, _at(minutes))


def _course(minutes: float) -> float:
    """Near 130 until breakfast, then up and back and at last too low, with a sensor's unrest."""
    since = max(0.0, minutes - 90)
    meal = 70 * since / 60 * 2.718 ** (1 - since / 60)
    falling = 1.6 * max(0.0, minutes - 165)
    return round(130 + meal - falling + 4 * sin(minutes / 33) + 2.5 * sin(minutes * 1.7), 1)


morning = Story(
    signal=glucose,
    facts=tuple(
        sorted(
            (
                _fact(0, basal, 1.2),
                _fact(92, carbohydrate, 45.0),
                _fact(91, bolus, 3.5),
                *(_fact(m, glucose, _course(m)) for m in range(0, 245, 5)),
            ),
            key=lambda f: f.at,
        )
    ),
    changes=(
        Change("2 U of insulin", bolus, 2.0, -1),
        Change("30 g of carbohydrate", carbohydrate, 30.0, 1),
    ),
    ahead=timedelta(minutes=90),
)
