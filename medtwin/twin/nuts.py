"""The whole posterior, drawn: slow, exact but for chance, and so the yardstick of faster fits.

The no-U-turn sampler (Hoffman & Gelman 2014, J Mach Learn Res 15:1593) of numpyro, on the same
model file through JAX (`engine.gradients`). `person_posterior` is the doubt about one
person, which `map_fit` approximates by a normal; `cohort_posterior` the doubt about a
population, whose best place `population_saem` finds. Needs the extra `medtwin[bayes]`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from medtwin.engine.gradients import Moves, course, first_event, listed, on, show
from medtwin.engine.lane_source import parameter_names, shown_codes
from medtwin.engine.model import Model
from medtwin.engine.schedule import Schedule
from medtwin.record.codes import Code
from medtwin.twin.cohort import Cohort, Person, cohort
from medtwin.twin.map_fit import Error, error_sizes
from medtwin.twin.population import Structure
from medtwin.twin.population_task import Task, asked
from medtwin.twin.prior import Prior, prior_of


class NeedsBayes(ImportError):
    """The extra that brings the sampler is not installed."""


@dataclass(frozen=True)
class Drawn:
    """Draws from a posterior, on the fitting scale, by what was drawn.

    `effective` is the number of independent draws that they are worth, so that the chance error
    of a mean is the standard deviation over its root. `split` compares the chains (R-hat; 1 when
    they agree). `divergent` counts steps that failed; more than a few say the draws are biased.
    """

    draws: dict[str, Float[np.ndarray, " draw"]]
    effective: dict[str, float]
    split: dict[str, float]
    divergent: int

    def mean(self, name: str) -> float:
        """The posterior mean."""
        return float(self.draws[name].mean())

    def sd(self, name: str) -> float:
        """The posterior standard deviation."""
        return float(self.draws[name].std())

    def chance(self, name: str) -> float:
        """The standard error of the mean that is due to the number of draws."""
        return self.sd(name) / float(np.sqrt(self.effective[name]))


def person_posterior(
    model: Model[Any],
    person: Person,
    free: Sequence[str] | Prior,
    error: Mapping[Code, Error] | None = None,
    seed: int = 0,
    draws: int = 2000,
) -> Drawn:
    """Draws of one person's parameters. Arguments and errors as for `map_fit.individual`.

    Raises NeedsBayes without the extra `medtwin[bayes]`.
    """
    numpyro = _numpyro()
    prior = free if isinstance(free, Prior) else prior_of(model, free)
    everybody = cohort(model, [person], prior.names)
    sizes = error_sizes(model, everybody, error or {})
    shown = _shown(everybody, prior.names)
    root = np.linalg.cholesky(prior.spread)

    def belief() -> None:
        z = numpyro.sample("z", _normal(np.zeros(len(root)), 1.0).to_event(1))
        place = prior.centre[:, 0] + prior.moves @ root @ z
        _named(prior.names, place)
        _read(everybody, shown(_values(prior, place[:, None])), sizes)

    return _drawn(belief, prior.names, seed, draws)


def cohort_posterior(
    model: Model[Any],
    people: Sequence[Person],
    structure: Structure,
    seed: int = 0,
    draws: int = 1000,
) -> Drawn:
    """Draws of a population: typical places, spreads, errors (of the last two the logarithms).

    What is typical is believed within e^2 of the structure's start, spreads and errors within
    e^1, so that the readings decide. Differences are taken as uncorrelated.
    Raises NeedsBayes without the extra, and else as the population fits do; ValueError for a
    structure with effects or correlations.
    """
    numpyro = _numpyro()
    if structure.effects or structure.together:
        raise ValueError("the yardstick draws no effects and no correlations; leave them out")
    task = asked(model, people, structure)
    everybody, blank = task.cohort(1, 1), task.blank
    shown, moves, begin = _shown(everybody, blank.names), task.moves, task.start()
    k, q = moves.shape

    def belief() -> None:
        widths = np.concatenate([np.full(k, 2.0), np.ones(len(begin) - k)])
        vector = numpyro.sample("vector", _normal(begin, widths).to_event(1))
        z = numpyro.sample("z", _normal(np.zeros((q, len(people))), 1.0).to_event(2))
        _named(task.labels, vector)
        away = moves @ (_exp(vector[k : k + q])[:, None] * z)
        f = shown(_values(blank, vector[:k, None] + away))
        _read(everybody, f, _sizes(task, everybody, vector[k + q :]))

    return _drawn(belief, task.labels, seed, draws)


def _numpyro() -> Any:
    try:
        import numpyro
    except ImportError as missing:
        raise NeedsBayes(
            "the whole posterior needs numpyro; install medtwin[bayes], or use map_fit or "
            "population_saem, which need neither"
        ) from missing
    return numpyro


def _normal(centre: Any, sd: Any) -> Any:
    from numpyro.distributions import Normal

    return Normal(centre, sd)


def _exp(x: Any) -> Any:
    from jax import numpy as jnp

    return jnp.exp(x)


def _named(names: Sequence[str], row: Any) -> None:
    from numpyro import deterministic

    for k, name in enumerate(names):
        deterministic(name, row[k])


def _values(prior: Prior, place: Any) -> Any:
    """`Prior.values`, for JAX."""
    from jax import numpy as jnp

    signed = prior.signed[:, None]
    natural = jnp.where(signed, place, jnp.exp(jnp.where(signed, 0.0, place)))
    return jnp.clip(natural, prior.low[:, None], prior.high[:, None])


def _shown(everybody: Cohort, names: Sequence[str]) -> Callable[[Any], Any]:
    """What each reading would have been, as a function of (free, person) that JAX follows."""
    from jax import numpy as jnp

    which = np.array([parameter_names(everybody.model).index(n) for n in names])
    follow = course if everybody.model.solution is None else _in_a_row
    runs = [(b, follow(everybody.model, b.plan, b.times)) for b in everybody.batches]

    def shown(values: Any) -> Any:
        p = jnp.asarray(everybody.told).at[which].set(values)
        f = jnp.zeros(len(everybody.values))
        for batch, run in runs:
            seen = run(p[:, batch.people])[batch.at, batch.code, batch.member]
            f = f.at[batch.reading].set(seen)
        return f

    return shown


Stretch = tuple[np.ndarray, float, tuple[int, int] | None]
"""When something is looked at, how long until the next event, and which one it is, if any."""


def _stretches(moves: Moves) -> list[Stretch]:
    """What lies between two events, in one piece."""
    found: list[Stretch] = []
    looked, since = [], 0.0
    for kind, length, row in zip(moves.kind, moves.length, moves.row, strict=True):
        if kind == on:
            since += float(length)
        elif kind == show:
            looked.append(since)
        else:
            found.append((np.array(looked), since, (int(kind) - first_event, int(row))))
            looked, since = [], 0.0
    return [*found, (np.array(looked), since, None)]


def _in_a_row(model: Model[Any], plan: Schedule, times: Any) -> Callable[[Any], Any]:
    """`gradients.course` of a model with a closed form: all looks between two events at once, so
    that there is no loop to follow back, and little to compile."""
    from jax import numpy as jnp

    moves = listed(model, plan, times, model.step)
    stretches, takes = _stretches(moves), len(model.inputs)

    def shown(p: Any) -> Any:
        person, told = model.parameters(*p), []
        x: tuple[Any, ...] = tuple(jnp.broadcast_to(s, p.shape[1:]) for s in model.start(person))
        u: list[Any] = [0.0 for _ in model.channels]
        for looked, length, event in stretches:
            assert model.solution is not None  # noqa: S101  only asked where there is one
            if len(looked):
                y = model.solution(jnp.asarray(looked)[:, None], x, tuple(u), person)
                codes = model.observe(y, person).values()
                wide = [jnp.broadcast_to(v, (len(looked), *p.shape[1:])) for v in codes]
                told.append(jnp.stack(wide, axis=1))
            if event is None:
                continue
            x = model.solution(length, x, tuple(u), person) if length > 0 else x
            what, row = event
            amount, whom = jnp.asarray(moves.amount[row]), jnp.asarray(moves.whom[row])
            if what < takes:
                taken = model.take(x, model.inputs[what], amount, person)
                x = tuple(jnp.where(whom, a, b) for a, b in zip(taken, x, strict=True))
            else:
                u[what - takes] = u[what - takes] + amount * whom
        return jnp.concatenate(told)

    return shown


def _sizes(task: Task, everybody: Cohort, errors: Any) -> tuple[Any, Any]:
    """The additive and proportional error of each reading, from the logarithms sought."""
    shown = shown_codes(task.model)
    parts: list[Any] = [0.0, 0.0]
    for (code, kind), value in zip(task.noisy, errors, strict=True):
        mine = everybody.code == shown.index(code)
        parts[kind == "proportional"] += mine * _exp(value)
    return parts[0], parts[1]


def _read(everybody: Cohort, f: Any, sizes: Any) -> None:
    from jax import numpy as jnp
    from numpyro import sample

    sd = jnp.sqrt(sizes[0] ** 2 + (sizes[1] * f) ** 2)
    sample("readings", _normal(f, sd).to_event(1), obs=everybody.values)


def _drawn(belief: Callable[[], None], names: Sequence[str], seed: int, draws: int) -> Drawn:
    """Two chains of so many draws, after as many to find the shape."""
    import jax
    from numpyro.diagnostics import effective_sample_size, split_gelman_rubin
    from numpyro.infer import MCMC, NUTS, init_to_median

    with jax.enable_x64(True):
        chains = MCMC(
            NUTS(belief, init_strategy=init_to_median, target_accept_prob=0.9),
            num_warmup=max(500, draws // 2),
            num_samples=draws,
            num_chains=2,
            chain_method="vectorized",
            progress_bar=False,
        )
        chains.run(jax.random.key(seed), extra_fields=("diverging",))
        by_chain = {n: np.asarray(chains.get_samples(group_by_chain=True)[n]) for n in names}
        divergent = int(np.sum(chains.get_extra_fields()["diverging"]))
    return Drawn(
        draws={n: d.ravel() for n, d in by_chain.items()},
        effective={n: float(effective_sample_size(d)) for n, d in by_chain.items()},
        split={n: float(split_gelman_rubin(d)) for n, d in by_chain.items()},
        divergent=divergent,
    )
