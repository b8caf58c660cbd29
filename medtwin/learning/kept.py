"""A learned head as bytes for the vault, and back: the same answers to the last bit."""

import json
from base64 import b64decode, b64encode
from typing import Any

import numpy as np
from jaxtyping import Float

from medtwin.learning.head import Ahead, Answer, Learned, Rehearsal, Rule
from medtwin.learning.line import Line
from medtwin.learning.trees import Trees

version = 1


class Unreadable(ValueError):
    """These bytes are not a learned head that this version can read."""


def dumped(learned: Learned) -> bytes:
    """What a head has learned, as JSON; it runs no code when read, unlike a pickle."""
    answers = {str(h): _written(answer) for h, answer in learned.answers.items()}
    told = {"head": learned.head, "people": learned.people, "answers": answers}
    rehearsal = {} if learned.rehearsal is None else {"rehearsal": _rehearsed(learned.rehearsal)}
    return json.dumps({"version": version, **told, **rehearsal}).encode()


def loaded(data: bytes) -> Learned:
    """The head that was kept; raises `Unreadable` for anything else."""
    try:
        kept = json.loads(data)
        if kept["version"] != version:
            raise Unreadable(f"a head of version {kept['version']}; this reads {version}: fit anew")
        answers = {int(h): _read(answer) for h, answer in kept["answers"].items()}
        rehearsal = _rehearsal(kept["rehearsal"], len(answers)) if "rehearsal" in kept else None
        return Learned(kept["head"], tuple(kept["people"]), answers, rehearsal)
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError, UnicodeDecodeError) as wrong:
        raise Unreadable(f"not a learned head ({wrong}); expected what dumped() wrote") from wrong


def _written(answer: Answer) -> dict[str, Any]:
    return {
        "names": answer.names,
        "change": _rule_written(answer.change),
        "doubt": _rule_written(answer.doubt),
        "scale": answer.scale.hex(),
    }


def _read(kept: dict[str, Any]) -> Answer:
    change, doubt = _rule_read(kept["change"]), _rule_read(kept["doubt"])
    return Answer(tuple(kept["names"]), change, doubt, float.fromhex(kept["scale"]))


def _rehearsed(r: Rehearsal) -> list[str]:
    tables = (r.said.mean, r.said.spread, r.twin.mean, r.twin.spread, r.measured)
    return [_array_written(t) for t in tables]


def _rehearsal(kept: list[str], horizons: int) -> Rehearsal:
    mean, spread, twin, doubt, came = (_array_read(k).reshape(-1, horizons) for k in kept)
    return Rehearsal(Ahead(mean, spread), Ahead(twin, doubt), came)


def _rule_written(rule: Rule) -> dict[str, Any]:
    if isinstance(rule, Trees):
        return {"trees": rule.texts}
    if isinstance(rule, Line):
        arrays = (rule.centre, rule.scale, rule.weights, np.array([rule.offset]))
        return {"line": [_array_written(a) for a in arrays]}
    raise TypeError(f"{type(rule).__name__} cannot be kept; a rule is Line or Trees")


def _rule_read(kept: dict[str, Any]) -> Rule:
    if "trees" in kept:
        return Trees(tuple(kept["trees"]))
    centre, scale, weights, offset = (_array_read(a) for a in kept["line"])
    return Line(centre, scale, weights, float(offset[0]))


def _array_written(a: Float[np.ndarray, "*shape"]) -> str:
    return b64encode(np.ascontiguousarray(a, dtype="<f8").tobytes()).decode()


def _array_read(text: str) -> Float[np.ndarray, " input"]:
    return np.frombuffer(b64decode(text), dtype="<f8")
