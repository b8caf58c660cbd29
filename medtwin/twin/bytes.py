"""A twin as bytes and back, bit for bit: what is kept is what was believed."""

from dataclasses import fields
from typing import Any

import numpy as np
import orjson

from medtwin import physiology
from medtwin.catalogue import everything
from medtwin.engine.model import Model
from medtwin.twin.twin import Twin

mark = b"medtwin twin 1\n"
arrays = ("states", "parameters", "spread", "running", "ends")


class NotATwin(ValueError):
    """These bytes are not a twin, or not of a model that this house has."""


def dumped(twin: Twin) -> bytes:
    """The twin as bytes: a line that says what it is, then its numbers as they stand in memory."""
    held = {name: getattr(twin, name) for name in arrays}
    head = {
        "patient": twin.patient,
        "model": twin.model.name,
        "states": list(twin.model.states),
        "parameters": [f.name for f in fields(twin.model.parameters)],
        "seed": twin.seed,
        "facts": twin.facts,
        "times": [t.hex() for t in (twin.at, twin.born, twin.told)],
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
    return Twin(
        patient=head["patient"],
        model=_model(head),
        at=at,
        seed=head["seed"],
        born=born,
        told=told,
        facts=head["facts"],
        **_arrays(numbers, head["shapes"]),
    )


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
