"""What we believe about one body now: its states and parameters, with our doubt."""

from dataclasses import astuple, dataclass, field, fields, replace
from datetime import datetime
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from medtwin.engine.model import Model, sample
from medtwin.maths.filters.filter import Gaussian
from medtwin.maths.filters.regimes import Mixture
from medtwin.maths.filters.remembering import Lives
from medtwin.record.record import Record
from medtwin.twin.personal import Personal, drawn
from medtwin.twin.prior import Prior
from medtwin.twin.prior import drawn as of_prior
from medtwin.twin.random import stream
from medtwin.twin.regimes import within

exact_members = 16
ensemble_members = 300


@dataclass(frozen=True)
class Carried:
    """What a filter carries from reading to reading, where members are only drawn from it.

    `filter` names it; `learned` are the places of the parameters that its rows hold; `rates`
    what ran since when (UTC seconds first, then each channel; NaN where nobody has said); `read`
    how many readings it has learned from.
    """

    filter: str
    learned: tuple[int, ...]
    belief: Gaussian | Mixture | Lives
    rates: Float[np.ndarray, "change _"]
    read: int = 0


@dataclass(frozen=True)
class Twin:
    """Members are equally likely versions of this patient; their spread is our doubt.

    `at` is UTC seconds, the time of the last fact. Where the model has an exact filter, each
    member also carries the covariance of its linear states (`spread`), and its `states` are
    their means; otherwise the members' states are the doubt themselves and `spread` is None.
    `running` are the rates in force (basal insulin) and `ends` when what we were told of them
    stops being true (UTC seconds). `carried` is the belief itself where another filter than these
    two follows the model, and `regimes` each member's, where the model has some. Random draws are
    keyed by `seed`, patient, model, time and member, so that a replay makes the same ones. `born`,
    `told` (the latest time at which any fact inside was learned) and `facts` (how many) say what
    this belief rests on.
    """

    patient: str
    model: Model[Any]
    at: float
    states: Float[np.ndarray, "state member"]
    parameters: Float[np.ndarray, "parameter member"]
    seed: int
    spread: Float[np.ndarray, "linear linear member"] | None = None
    running: Float[np.ndarray, "channel member"] = field(default_factory=lambda: np.zeros((0, 0)))
    ends: Float[np.ndarray, " channel"] = field(default_factory=lambda: np.zeros(0))
    born: float = -np.inf
    told: float = -np.inf
    facts: int = 0
    carried: Carried | None = None
    regimes: Int[np.ndarray, " member"] | None = None

    @property
    def members(self) -> int:
        """How many versions of this person are followed side by side."""
        return self.states.shape[1]


def born(
    patient: str,
    model: Model[Any],
    at: datetime,
    record: Record | None = None,
    seed: int = 0,
    members: int | None = None,
    personal: Personal | None = None,
    prior: Prior | None = None,
) -> Twin:
    """A twin that has learned nothing yet: every member is someone drawn from the population.

    What the record, as known by `at`, says of the parameters narrows the draw: the latest value
    of each of the model's covariates is every member's; one that nobody told stays drawn, and
    widens the doubt. So does a `prior` learned from a cohort (`population.prior`) and a
    `personal` fit of the person's past days. Facts before `at` are not learned from.
    """
    count = members or (exact_members if model.linear else ensemble_members)
    rng = stream(seed, patient, model.name, at.timestamp(), "birth")
    p = sample(model.parameters, count, rng)
    if prior is not None:
        p = replace(p, **of_prior(prior, count, rng))
    p = _as_the_record_says(p, model, None if record is None else record.known(by=at), at)
    if personal is not None:
        p = replace(p, **drawn(personal, model, count, rng))
    return at_rest(patient, model, round(at.timestamp(), 3), p, count, seed)


def parameters(twin: Twin) -> Any:
    """The members' parameters by name, as the model's own functions want them, each as they are in
    its member's regime."""
    return twin.model.parameters(*in_force(twin))


def in_force(twin: Twin) -> Float[np.ndarray, "parameter member"]:
    """The members' parameters, each as they are in its member's regime."""
    return within(twin.model, twin.parameters, twin.regimes)


def _as_the_record_says(p: Any, model: Model[Any], record: Record | None, at: datetime) -> Any:
    if record is None:
        return p
    told = covariates(model, record, at)
    if model.personal is not None:
        told |= model.personal(record)
    people = len(getattr(p, fields(p)[0].name))
    return replace(p, **{name: np.full(people, value) for name, value in told.items()})


def covariates(model: Model[Any], record: Record, at: datetime) -> dict[str, float]:
    """The latest value by `at` of each covariate that the record tells, within the parameter's
    bounds; what nobody told is not in it."""
    about = {f.name: f.metadata for f in fields(model.parameters)}
    told = {}
    for name, code in model.covariates.items():
        seen = record[code].current
        values = seen.value[seen.at <= at.timestamp()]
        if len(values):
            told[name] = float(np.clip(values[-1], about[name]["low"], about[name]["high"]))
    return told


def at_rest(patient: str, model: Model[Any], at: float, p: Any, count: int, seed: int) -> Twin:
    """A twin in the steady state of these parameters.

    Raises ValueError for a model with an exact filter whose clock does not count minutes.
    """
    if model.linear and model.clock != "min":
        raise ValueError(
            f"{model.name} names linear states and counts time in {model.clock!r}; the exact "
            "filter counts minutes: write it per minute, or name no linear states"
        )
    states = np.stack([np.broadcast_to(s, count) for s in model.start(p)]).astype(float)
    usual = (0.0,) * len(model.channels) if model.usual is None else model.usual(p)
    rates = [np.broadcast_to(u, count) for u in usual]
    return Twin(
        patient=patient,
        model=model,
        at=at,
        states=states,
        parameters=np.stack([np.broadcast_to(v, count) for v in astuple(p)]).astype(float),
        seed=seed,
        spread=_first_doubt(model, p, count) if model.linear else None,
        running=np.stack(rates).astype(float) if rates else np.zeros((0, count)),
        ends=np.full(len(model.channels), np.inf),
        born=at,
        regimes=np.zeros(count, np.int64) if model.regimes else None,
    )


def _first_doubt(
    model: Model[Any], p: Any, count: int
) -> Float[np.ndarray, "linear linear member"]:
    doubts = (0.0,) * len(model.states) if model.doubt is None else model.doubt(p)
    of = dict(zip(model.states, doubts, strict=True))
    sds = np.stack([np.broadcast_to(of[name], count) for name in model.linear])
    return np.eye(len(sds))[:, :, None] * sds[:, None, :] ** 2
