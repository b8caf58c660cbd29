"""A twin as bytes and back, bit for bit: what is kept is what was believed."""

from dataclasses import fields
from typing import Any

import numpy as np
import orjson

from medtwin import physiology
from medtwin.catalogue import everything
from medtwin.engine.model import Model
from medtwin.maths.filters.filter import Cloud, Doing, Event, Gaussian, Reading
from medtwin.maths.filters.regimes import Mixture
from medtwin.maths.filters.remembering import Lives
from medtwin.twin.twin import Carried, Twin

mark = b"medtwin twin 1\n"
arrays = ("states", "parameters", "spread", "running", "ends", "regimes")
mine = "belief "
"""What a filter carries is kept under names that begin so."""


class NotATwin(ValueError):
    """These bytes are not a twin, or not of a model that this house has."""


def dumped(twin: Twin) -> bytes:
    """The twin as bytes: a line that says what it is, then its numbers as they stand in memory."""
    held = {name: getattr(twin, name) for name in arrays}
    if twin.carried is not None:
        held |= {f"{mine}{n}": a for n, a in _numbers(twin.carried).items()}
    head = {
        "patient": twin.patient,
        "model": twin.model.name,
        "states": list(twin.model.states),
        "parameters": [f.name for f in fields(twin.model.parameters)],
        "seed": twin.seed,
        "facts": twin.facts,
        "times": [t.hex() for t in (twin.at, twin.born, twin.told)],
        "carried": _told(twin.carried),
        "shapes": {name: a.shape for name, a in held.items() if a is not None},
    }
    numbers = (np.ascontiguousarray(a, "<f8").tobytes() for a in held.values() if a is not None)
    return mark + orjson.dumps(head) + b"\n" + b"".join(numbers)


def loaded(kept: bytes) -> Twin:
    """The twin that these bytes hold. Raises NotATwin where they hold none, or a model changed."""
    if not kept.startswith(mark):
        raise NotATwin(f"{len(kept)} bytes do not begin like a twin; give what dumped() returned")
    line, _, numbers = kept[len(mark) :].partition(b"\n")
    head = orjson.loads(line)
    at, born, told = (float.fromhex(t) for t in head["times"])
    held = _arrays(numbers, head["shapes"])
    regimes = held.pop("regimes", None)
    belief = {n.removeprefix(mine): held.pop(n) for n in list(held) if n.startswith(mine)}
    return Twin(
        patient=head["patient"],
        model=_model(head),
        at=at,
        seed=head["seed"],
        born=born,
        told=told,
        facts=head["facts"],
        carried=_carried(head["carried"], belief) if belief else None,
        regimes=None if regimes is None else regimes.astype(np.int64),
        **held,
    )


def _told(carried: Carried | None) -> dict[str, object] | None:
    if carried is None:
        return None
    at = carried.belief.at.hex()
    told = {"filter": carried.filter, "learned": carried.learned, "read": carried.read}
    return {**told, "at": at}


def _numbers(carried: Carried) -> dict[str, np.ndarray]:
    """The numbers of a belief by name."""
    belief, rates = carried.belief, {"rates": carried.rates}
    if isinstance(belief, Gaussian):
        return rates | {"mean": belief.mean, "covariance": belief.covariance}
    if isinstance(belief, Mixture):
        means = np.stack([b.mean for b in belief.beliefs])
        spreads = np.stack([b.covariance for b in belief.beliefs])
        return rates | {"mean": means, "covariance": spreads, "chances": belief.chances}
    return rates | {
        "first": belief.first,
        "now": belief.now.members,
        "weights": belief.now.weights,
        "likelihood": belief.likelihood,
        "chance": belief.chance,
        "past": np.array([_row(e) for e in belief.past], dtype=float).reshape(-1, 4),
        "prior": np.vstack([belief.prior.mean, belief.prior.covariance]),
        "born": np.array([belief.prior.at]),
    }


def _row(event: Event) -> tuple[float, ...]:
    """Time, what kind, which, how much."""
    if isinstance(event, Doing):
        return event.at, 1.0, event.which, event.amount
    return event.at, 0.0, event.which, event.value


def _carried(head: dict[str, Any], held: dict[str, np.ndarray]) -> Carried:
    rates, at = held.pop("rates"), float.fromhex(head["at"])
    belief, learned = _belief(at, held), tuple(head["learned"])
    return Carried(head["filter"], learned, belief, rates, head["read"])


def _belief(at: float, held: dict[str, np.ndarray]) -> Gaussian | Mixture | Lives:
    if "first" in held:
        prior = Gaussian(float(held["born"][0]), held["prior"][0], held["prior"][1:])
        now = Cloud(at, held["now"], held["weights"])
        past = tuple(
            Doing(t, int(which), value) if done else Reading(t, value, int(which))
            for t, done, which, value in held["past"].tolist()
        )
        return Lives(held["first"], now, held["likelihood"], held["chance"], past, prior)
    if "chances" in held:
        pairs = zip(held["mean"], held["covariance"], strict=True)
        return Mixture(at, held["chances"], tuple(Gaussian(at, m, c) for m, c in pairs))
    return Gaussian(at, held["mean"], held["covariance"])


def _arrays(numbers: bytes, shapes: dict[str, list[int]]) -> dict[str, np.ndarray]:
    values = np.frombuffer(numbers, "<f8")
    sizes = [int(np.prod(shape)) for shape in shapes.values()]
    if len(values) != sum(sizes):
        raise NotATwin(f"a twin of {sum(sizes)} numbers came with {len(values)}; it was cut short")
    parts = np.split(values, np.cumsum(sizes)[:-1])
    return {n: p.reshape(s).copy() for (n, s), p in zip(shapes.items(), parts, strict=True)}


def _model(head: dict[str, object]) -> Model[Any]:
    """The model of that name, if its states and parameters are still the same."""
    for model in everything(physiology, Model).values():
        if model.name == head["model"]:
            same = list(model.states) == head["states"]
            if same and [f.name for f in fields(model.parameters)] == head["parameters"]:
                return model
            raise NotATwin(
                f"the model {model.name} has changed since this twin of {head['patient']} was "
                "kept; give birth to it again from the record"
            )
    raise NotATwin(
        f"no model is called {head['model']}; the twin of {head['patient']} needs its file in "
        "medtwin/physiology"
    )
