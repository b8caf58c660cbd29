"""PSA while androgen is suppressed and while it is not: cancer stem cells and what they make.

    stem cells   s' = share p lambda s                       share = s / (s + d)
    other cells  d' = (1 - share p) lambda s - alpha e d
    PSA          P' = d - phi P
    suppression  e' = (on - e) / (1 day, or wearing_off once it is stopped)
    aside        a' = -a / fades, shaken by chance; what is read is P exp(a)

Stem cells divide once a day and mostly make other cells, which make PSA and die while androgen
is suppressed. The fewer others there are, the more the stem cells renew themselves (p): with
each cycle the floor that PSA falls to rises, and a man whose floor rises fast becomes resistant.
Both kinds of cells are counted in the PSA they could make (ng/mL/d). Divisions become fewer as
PSA nears 10,000 ng/mL (added here: nothing grows for ever).

Brady-Nicholls et al. (2020), Nat Commun 11:1750. That suppression wears off slowly once it is
stopped (testosterone needs months to come back) is added here, and so is `aside`, what one
month's PSA and the next have in common that the cells do not tell: what fits of the men's first
two cycles left over had a standard deviation of 0.42 in logarithms, and a correlation of 0.56
after a month, 0.31 after 50 days, 0.16 after 80. A fit leaves it out; a twin follows it. Typical
values and spread: the men of Bruchovsky (2006), Cancer 107:389, by iterated maximum a posteriori
(`python -m evidence.models --only psa`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from medtwin.engine.model import Model, fixed, varies
from medtwin.maths.functions import exp, log, sqrt
from medtwin.record import codes
from medtwin.record.codes import Code

men = "51 men of Bruchovsky 2006"
left_over = "what fits of the first two cycles left over; " + men
log_psa = Code("log_psa", "logarithm of PSA + 0.1 ng/mL", "1", low=-2.4, high=12.0, noise=0.45)


@dataclass(frozen=True)
class Parameters:
    """One man's cells when treatment first begins, and how they live."""

    first: Any = varies(10.7, unit="ng/mL", cv=0.6, low=0.05, high=3000.0, source=men)
    stem: Any = varies(
        0.0024, unit="1", cv=1.3, low=1e-6, high=0.3, source=f"stem to other cells; {men}"
    )
    renewal: Any = varies(0.0084, unit="1", cv=5.0, low=1e-6, high=0.1, source=f"p; {men}")
    kill: Any = varies(0.08, unit="/d", cv=1.5, low=0.003, high=0.4, source=f"alpha; {men}")
    phi: Any = varies(0.085, unit="/d", cv=1.0, low=0.01, high=0.7, source=men)
    wearing_off: Any = varies(21.6, unit="d", cv=1.3, low=1.0, high=400.0, source=men)
    beside: Any = fixed(0.42, unit="1", source=f"sd of aside; {left_over}")
    fades: Any = fixed(45.0, unit="d", source=f"of aside; {left_over}")
    division: Any = fixed(0.6931471805599453, unit="/d", source="lambda: once a day")
    most: Any = fixed(1e4, unit="ng/mL", source="PSA at which room halves: assumed; 1 % at 100")


def start(p: Any) -> tuple[Any, ...]:
    """The cells on the day treatment first begins: PSA is where its makers hold it."""
    others = p.phi * p.first
    return (p.stem * others, others, p.first + 0.0 * others, 0.0 * others, 0.0 * others)


def drift(t: Any, x: tuple[Any, ...], u: tuple[Any, ...], p: Any) -> tuple[Any, ...]:
    """How fast cells and PSA come and go (per day)."""
    stem, others, psa, suppressed, aside = x
    on = 0.01 * u[0]
    room = 1.0 / (1.0 + (stem + others) / (p.phi * p.most))
    divided = p.division * room * stem
    renewed = stem / (stem + others + 1e-12) * p.renewal * divided  # a twin may hold no cells
    return (
        renewed,
        divided - renewed - p.kill * suppressed * others,
        others - p.phi * psa,
        (on - suppressed) * (on + (1.0 - on) / p.wearing_off),
        -aside / p.fades,
    )


def noise(t: Any, x: tuple[Any, ...], u: tuple[Any, ...], p: Any) -> tuple[Any, ...]:
    """Chance moves only what the cells do not tell."""
    still = 0.0 * x[0]
    return (still, still, still, still, p.beside * sqrt(2.0 / p.fades) + still)


def take(x: tuple[Any, ...], code: Code, amount: Any, p: Any) -> tuple[Any, ...]:
    """Nothing is taken at once: suppression lasts."""
    return x


def observe(x: tuple[Any, ...], p: Any) -> Mapping[Code, Any]:
    """What the laboratory measures."""
    level = x[2] * exp(x[4])
    return {codes.psa: level, log_psa: log(level + 0.1)}


def error(x: tuple[Any, ...], p: Any) -> tuple[Any, ...]:
    """How far a laboratory errs, as a logarithm (assumed; what is left over is in `aside`)."""
    return (0.15 + 0.0 * x[2], 0.15 + 0.0 * x[2])


model = Model(
    name="PSA under intermittent suppression",
    reference="Brady-Nicholls et al. 2020, Nat Commun 11:1750",
    states=("stem cells", "other cells", "PSA", "suppressed", "aside"),
    units=("ng/mL/d", "ng/mL/d", "ng/mL", "1", "1"),
    parameters=Parameters,
    inputs=(),
    channels=(codes.androgen_suppression,),
    start=start,
    drift=drift,
    take=take,
    observe=observe,
    step=1.0,
    clock="d",
    noise=noise,
    error=error,
    signed=("aside",),
    logarithmic={codes.psa: 0.1},
    horizons=(28.0, 91.0, 182.0),
    trust="rising PSA after radiotherapy, suppressed now and then; it knows no testosterone",
)
