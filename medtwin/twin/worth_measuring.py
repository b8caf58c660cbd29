"""Which measurement would help most: how much each is expected to tell, before it is made.

The expected information of a reading is what it shares with what is unknown (Lindley 1956, Ann
Math Stat 27:986). For one named parameter it is that of the linear regression on it, exact where
all is Gaussian; for everything at once, the nested average over members (Ryan 2003, J Comput
Graph Stat 12:585), which needs nothing to be linear.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from jaxtyping import Float
from numpy.polynomial.hermite_e import hermegauss
from scipy.special import logsumexp

from medtwin.engine.model import seconds_in
from medtwin.maths.filters.filter import Array
from medtwin.record.codes import Code
from medtwin.record.observation import Observation
from medtwin.record.record import moment
from medtwin.twin.filters import sampled
from medtwin.twin.forecast import Unanswerable
from medtwin.twin.living import believed, dynamics, life, members, unknowns
from medtwin.twin.random import stream
from medtwin.twin.timeline import of_facts
from medtwin.twin.twin import Twin

drawn_members = 2000
heard_members = 500


@dataclass(frozen=True)
class Worth:
    """A measurement not made yet: how much it would tell (nats), of what, and in words.

    `left` is the share of the doubt (sd) about it that would remain.
    """

    code: Code
    at: datetime
    about: str
    information: float
    left: float
    because: str


def worth_measuring(
    twin: Twin,
    code: Code,
    times: Sequence[datetime],
    about: str = "",
    plan: Sequence[Observation] = (),
) -> tuple[Worth, ...]:
    """One more reading of `code` at each of these times, the most telling first.

    `about` names a state or a parameter of the twin's model; if it is empty, everything unknown
    counts. `plan` is what will be given meanwhile. Raises Unanswerable for what the model does not
    show, has not, or knows already, and for a time that is past.
    """
    asked = sorted(times)
    z, shown, error = _courses(twin, code, asked, plan, about)
    if not about:
        few = slice(heard_members)
        informations = [information(h[few], e[few]) for h, e in zip(shown, error, strict=True)]
    else:
        informations = [told_of(z, h, e) for h, e in zip(shown, error, strict=True)]
    found = [_worth(code, t, about, i) for t, i in zip(asked, informations, strict=True)]
    return tuple(sorted(found, key=lambda w: -w.information))


def information(shown: Float[np.ndarray, " member"], error: Float[np.ndarray, " member"]) -> float:
    """What a reading tells of which member is true (nats): the nested average.

    What each member would show is heard at the nodes of a Gauss-Hermite rule, so that no chance
    is left but the members'.
    """
    nodes, weight = hermegauss(5)
    heard = shown[:, None] + error[:, None] * nodes
    apart = (heard[:, :, None] - shown) / error
    of_own = -(nodes**2) / 2 - np.log(error)[:, None]
    of_all = logsumexp(-(apart**2) / 2 - np.log(error), axis=2) - np.log(len(shown))
    return float(((of_own - of_all) @ weight).mean() / weight.sum())


def told_of(
    target: Float[np.ndarray, " member"],
    shown: Float[np.ndarray, " member"],
    error: Float[np.ndarray, " member"],
) -> float:
    """What a reading tells of one unknown (nats), by the correlation between them."""
    together = np.cov(target, shown)
    variance = together[1, 1] + float(np.mean(error**2))
    return float(-0.5 * np.log1p(-(together[0, 1] ** 2) / (together[0, 0] * variance)))


def _courses(
    twin: Twin, code: Code, times: Sequence[datetime], plan: Sequence[Observation], about: str
) -> tuple[Array, Array, Array]:
    """The unknown asked about, and what each member would show and err at each time."""
    what, which = unknowns(twin), _which(twin, code, times)
    moves = dynamics(what, life(twin, of_facts(twin.model, plan)))
    rng = stream(twin.seed, twin.patient, twin.model.name, twin.at, "worth")
    z = members(twin, what)
    if twin.spread is not None:
        z = sampled(believed(twin, what), drawn_members, rng)
    step = twin.model.step * seconds_in[twin.model.clock]
    longest = step if moves.chances else np.inf
    at, shown, error, target = twin.at, [], [], _asked(z, what.names, about, twin)
    for t in times:
        for end in _pieces(at, t.timestamp(), longest):
            chance = rng.standard_normal((moves.chances, z.shape[1]))
            z, at = moves.moved(z, chance, at, end), end
        shown.append(moves.shown(z, which))
        error.append(moves.error(z, which))
    return target, np.stack(shown), np.stack(error)


def _asked(z: Array, names: tuple[str, ...], about: str, twin: Twin) -> Array:
    if not about:
        return z[0]
    if about not in names:
        raise Unanswerable(
            f"the twin of {twin.patient} does not learn {about!r}; ask about one of "
            f"{', '.join(names)}"
        )
    row = z[names.index(about)]
    if np.ptp(row) == 0:
        raise Unanswerable(f"{about} of {twin.patient} is known already; ask about another")
    return row


def _which(twin: Twin, code: Code, times: Sequence[datetime]) -> int:
    observed = twin.model.observe(tuple(twin.states), twin.model.parameters(*twin.parameters))
    if code not in observed:
        allowed = ", ".join(c.name for c in observed)
        raise Unanswerable(f"{twin.model.name} does not show {code.name}; it shows {allowed}")
    if times and min(times).timestamp() < twin.at:
        raise Unanswerable(
            f"{min(times)} is before the time {moment(twin.at)} of {twin.patient}'s twin; "
            "ask for later times"
        )
    return list(observed).index(code)


def _pieces(begin: float, end: float, longest: float) -> Array:
    """Moments on the way, at most so far apart, so that a model's noise acts all along it."""
    count = int(np.ceil((end - begin) / longest)) if np.isfinite(longest) else int(end > begin)
    return np.linspace(begin, end, count + 1)[1:]


def _worth(code: Code, at: datetime, about: str, told: float) -> Worth:
    left = float(np.exp(-max(told, 0.0)))
    of = about or "everything the twin does not know"
    said = f"{code.name} at {at:%d %b %H:%M} would leave {left:.0%} of the doubt about {of}."
    return Worth(code, at, about, told, left, said)
