"""Several models in one body: what one shows drives another, and together they are a model again.

The functions of both are kept as they are written; parameters that share a name but not a meaning
get the model's prefix; a signal is what one model shows, running into a channel of the other. What
comes out is plain functions, so that everything a model can be used for holds for it too.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, make_dataclass
from types import FunctionType
from typing import Any

from medtwin.engine.from_text import functions
from medtwin.engine.lane_source import shown_codes
from medtwin.engine.model import Model, seconds_in
from medtwin.engine.schedule import is_amount
from medtwin.record.codes import Code
from medtwin.record.record import Record


class NotCoupled(ValueError):
    """Two models that cannot stand in one body as asked."""


@dataclass(frozen=True)
class Signal:
    """What one model shows runs into a channel of the other, `times` a factor if units differ."""

    shown: Code
    into: Code
    times: float = 1.0


@dataclass(frozen=True)
class _Part:
    """One of the two models, with how its parameters, states and time are called in the whole."""

    model: Model[Any]
    title: str
    prefix: str
    first_state: int
    called: Mapping[str, str]
    faster: float
    driven: Mapping[Code, str]

    @property
    def x(self) -> str:
        last = self.first_state + len(self.model.states)
        return f"x[{self.first_state}:{last}]"


def couple(
    first: Model[Any],
    second: Model[Any],
    signals: Sequence[Signal],
    shared: Sequence[str] = (),
    prefixes: tuple[str, str] = ("first_", "second_"),
) -> Model[Any]:
    """Both models in one body, on the clock of the first; couple again for a third.

    `shared` are parameters that mean the same in both (weight): the first's figures hold.
    Others of the same name, and states of the same name, get the model's prefix. What both
    take goes to both. Closed forms are not kept: the whole goes in steps, the shorter of the two.
    Raises NotCoupled where a signal's codes are not there, units differ without `times`,
    both show the same code, or a clock cannot be carried over.
    """
    for signal in signals:
        _fits(signal, first, second)
    if twice := set(shown_codes(first)) & set(shown_codes(second)):
        told = ", ".join(sorted(c.name for c in twice))
        raise NotCoupled(f"both models show {told}; give one of them a code of its own")
    parts = _parts(first, second, signals, shared, prefixes)
    text, known = _text(parts, signals)
    made = functions(f"{first.name} and {second.name}", text, known)
    a, b = parts
    return Model(
        name=f"{first.name} with {second.name}",
        reference=f"{first.reference}; {second.reference}",
        states=_apart(first.states, second.states, prefixes),
        units=(*first.units, *second.units),
        parameters=_parameters(parts),
        inputs=_union(first.inputs, second.inputs),
        channels=_channels(parts),
        start=made["start"],
        drift=made["drift"],
        take=made["take"],
        observe=made["observe"],
        step=min(first.step, second.step / b.faster),
        noise=made.get("noise"),
        trust="; ".join(p.model.trust for p in (a, b) if p.model.trust),
        doubt=made.get("doubt"),
        error=made.get("error"),
        personal=_personal(parts),
        clock=first.clock,
        covariates={p.called[n]: c for p in parts for n, c in p.model.covariates.items()},
    )


def _parts(
    first: Model[Any],
    second: Model[Any],
    signals: Sequence[Signal],
    shared: Sequence[str],
    prefixes: tuple[str, str],
) -> tuple[_Part, _Part]:
    names = [[f.name for f in fields(m.parameters)] for m in (first, second)]
    if lost := [n for n in shared if any(n not in own for own in names)]:
        raise NotCoupled(f"{', '.join(lost)} cannot be shared: only one of the models has it")
    both = (set(names[0]) & set(names[1])) - set(shared)
    called = [
        {n: f"{prefix}{n}" if n in both else n for n in own}
        for own, prefix in zip(names, prefixes, strict=True)
    ]
    faster = seconds_in[first.clock] / seconds_in[second.clock]
    _same_midnight(first, second)
    driven: tuple[dict[Code, str], dict[Code, str]] = ({}, {})
    for k, signal in enumerate(signals):
        into = 1 if signal.shown in shown_codes(first) else 0
        before = driven[into].get(signal.into)
        driven[into][signal.into] = f"{before} + signal_{k}" if before else f"signal_{k}"
    return (
        _Part(first, "first", prefixes[0], 0, called[0], 1.0, driven[0]),
        _Part(second, "second", prefixes[1], len(first.states), called[1], faster, driven[1]),
    )


def _same_midnight(first: Model[Any], second: Model[Any]) -> None:
    """A clock of hours counts from midnight, one of days from 1970: t cannot be carried over."""
    by_day = [seconds_in[m.clock] < seconds_in["d"] for m in (first, second)]
    if by_day[0] != by_day[1] and _reads_time(second):
        raise NotCoupled(
            f"{second.name} asks what time it is on a clock of {second.clock}, which "
            f"{first.name} does not keep ({first.clock}); put it first, or leave t out of its drift"
        )


def _reads_time(model: Model[Any]) -> bool:
    tree = _written(model.drift)
    return tree.args.args[0].arg in {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}


def _fits(signal: Signal, first: Model[Any], second: Model[Any]) -> None:
    """Whether the signal leads from what one shows into a channel of the other, in its unit."""
    shows = [m for m in (first, second) if signal.shown in shown_codes(m)]
    if len(shows) != 1:
        raise NotCoupled(
            f"{len(shows)} of the two models show {signal.shown.name}; exactly one must, for a "
            f"signal to lead from it"
        )
    giving, into = shows[0], second if shows[0] is first else first
    if signal.into not in into.channels:
        allowed = ", ".join(c.name for c in into.channels) or "none"
        raise NotCoupled(
            f"{into.name} has no channel for {signal.into.name}; its channels are: {allowed}"
        )
    wanted = signal.into.unit
    wanted = f"{wanted}/{into.clock}" if is_amount(signal.into) else wanted
    if signal.times == 1.0 and signal.shown.unit != wanted:
        raise NotCoupled(
            f"{giving.name} shows {signal.shown.name} in {signal.shown.unit}, and the channel for "
            f"{signal.into.name} of {into.name} runs in {wanted}; say the factor with "
            f"Signal(..., times=...)"
        )


def _text(parts: tuple[_Part, _Part], signals: Sequence[Signal]) -> tuple[str, dict[str, Any]]:
    """The lines of the whole, and the functions and codes that they speak of."""
    known: dict[str, Any] = {}
    for part in parts:
        model = part.model
        for name in ("start", "drift", "take", "noise", "doubt", "error"):
            own = getattr(model, name)
            if own is not None:
                known[f"{part.title}_{name}"] = _called(own, part.called, part.title)
        for k, code in enumerate(shown_codes(model)):
            known[f"{part.title}_shown_{k}"] = _called(
                model.observe, part.called, f"{part.title}_{k}", k
            )
            known[f"{part.title}_code_{k}"] = code
        for k, code in enumerate(model.inputs):
            known[f"{part.title}_input_{k}"] = code
    a, b = parts
    lines = ["def start(p):", "    return first_start(p) + second_start(p)", ""]
    lines += ["def drift(t, x, u, p):", *_signal_lines(parts, signals)]
    lines += [*_rates("drift", a, parts), *_rates("drift", b, parts)]
    lines += ["    return first_drift_told + second_drift_told", ""]
    lines += ["def take(x, code, amount, p):", *_take_lines(a), *_take_lines(b)]
    lines += ["    return first_x + second_x", "", "def observe(x, p):", "    return {"]
    lines += [f"        {p.title}_code_{k}: {_shown(p, k)}," for p in parts for k in _shown_of(p)]
    lines += ["    }", "", *_noise_lines(parts, signals), *_doubt_lines(parts)]
    return "\n".join(lines), known


def _shown_of(part: _Part) -> range:
    return range(len(shown_codes(part.model)))


def _shown(part: _Part, k: int) -> str:
    return f"{part.title}_shown_{k}({part.x}, p)"


def _signal_lines(parts: tuple[_Part, _Part], signals: Sequence[Signal]) -> list[str]:
    """Each signal by name: what its giver shows now."""
    lines = []
    for number, signal in enumerate(signals):
        part = next(p for p in parts if signal.shown in shown_codes(p.model))
        shown = _shown(part, shown_codes(part.model).index(signal.shown))
        lines.append(f"    signal_{number} = {shown} * {float(signal.times)!r}")
    return lines


def _rates(what: str, part: _Part, parts: tuple[_Part, _Part]) -> list[str]:
    """`first_drift_told = ...`: a part's own rates, on the clock of the whole."""
    channels = _channels(parts)
    running = [_running(part, code, channels) for code in part.model.channels]
    u = f"({', '.join(running)},)" if running else "()"
    t = "t" if part.faster == 1.0 else f"t * {part.faster!r}"
    told = f"{part.title}_{what}_told"
    lines = [f"    {told} = {part.title}_{what}({t}, {part.x}, {u}, p)"]
    scale = part.faster if what == "drift" else part.faster**0.5
    if part.faster != 1.0:
        scaled = ", ".join(f"{told}[{k}] * {scale!r}" for k in range(len(part.model.states)))
        lines.append(f"    {told} = ({scaled},)")
    return lines


def _running(part: _Part, code: Code, channels: tuple[Code, ...]) -> str:
    """What runs in one of a part's channels: a signal if one leads there, else what is given.

    A signal comes in the part's own unit of time; what is given comes in that of the whole.
    """
    given = f"u[{channels.index(code)}]" if code in channels else ""
    if given and part.faster != 1.0 and is_amount(code):
        given = f"{given} / {part.faster!r}"
    return part.driven.get(code, given)


def _take_lines(part: _Part) -> list[str]:
    lines = [f"    {part.title}_x = {part.x}"]
    for k in range(len(part.model.inputs)):
        code = f"{part.title}_input_{k}"
        lines.append(f"    if code == {code}:")
        lines.append(
            f"        {part.title}_x = {part.title}_take({part.title}_x, {code}, amount, p)"
        )
    return lines


def _noise_lines(parts: tuple[_Part, _Part], signals: Sequence[Signal]) -> list[str]:
    if all(p.model.noise is None for p in parts):
        return []
    lines = ["def noise(t, x, u, p):", *_signal_lines(parts, signals)]
    for part in parts:
        if part.model.noise is not None:
            lines += _rates("noise", part, parts)
        else:
            still = ", ".join(f"0.0 * {part.x}[{k}]" for k in range(len(part.model.states)))
            lines.append(f"    {part.title}_noise_told = ({still},)")
    return [*lines, "    return first_noise_told + second_noise_told", ""]


def _doubt_lines(parts: tuple[_Part, _Part]) -> list[str]:
    """What both say of themselves as a living twin; what only one says is not kept."""
    lines: list[str] = []
    if all(p.model.doubt is not None for p in parts):
        lines += ["def doubt(p):", "    return first_doubt(p) + second_doubt(p)", ""]
    if all(p.model.error is not None for p in parts):
        both = " + ".join(f"{p.title}_error({p.x}, p)" for p in parts)
        lines += ["def error(x, p):", f"    return {both}", ""]
    return lines


class _Renamed(ast.NodeTransformer):
    """`p.name` of an argument p, by the name the parameter has in the whole."""

    def __init__(self, arguments: set[str], called: Mapping[str, str]) -> None:
        self.arguments, self.called = arguments, called

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if isinstance(node.value, ast.Name) and node.value.id in self.arguments:
            node.attr = self.called.get(node.attr, node.attr)
        return node


def _called(
    function: Callable[..., Any], called: Mapping[str, str], title: str, only: int | None = None
) -> FunctionType:
    """The same lines with parameters by their new names; of `observe`, one shown value alone."""
    tree = _written(function)
    if only is not None:
        tree.body[-1] = _one_value(tree, only)
    arguments = {a.arg for a in tree.args.args}
    tree = ast.fix_missing_locations(_Renamed(arguments, called).visit(tree))
    tree.decorator_list, tree.returns = [], None
    for a in tree.args.args:
        a.annotation = None
    outside = inspect.getclosurevars(inspect.unwrap(function))
    known = {**outside.globals, **outside.nonlocals}
    around = {n: _around(v, called, title) for n, v in known.items()}
    tree.name = f"{title}_{tree.name}"
    while tree.name in around:  # coupled before: its own parts are called so too
        tree.name += "_too"
    return functions(tree.name, ast.unparse(tree), around)[tree.name]


def _around(value: Any, called: Mapping[str, str], title: str) -> Any:
    """What lies around a function: others of the model's own speak of parameters too."""
    own = isinstance(value, FunctionType) and not value.__module__.startswith("medtwin.maths.")
    return _called(value, called, title) if own else value


def _one_value(tree: ast.FunctionDef, k: int) -> ast.Return:
    last = tree.body[-1]
    if not isinstance(last, ast.Return) or not isinstance(last.value, ast.Dict):
        raise NotCoupled(f"{tree.name} must end by returning what it shows as {{code: value}}")
    return ast.Return(last.value.values[k])


def _written(function: Callable[..., Any]) -> ast.FunctionDef:
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    if not isinstance(tree, ast.FunctionDef):
        raise NotCoupled(f"{function!r} is not written with def; write it so, in a file")
    return tree


def _parameters(parts: tuple[_Part, _Part]) -> type[Any]:
    made: dict[str, Any] = {}
    for part in parts:
        for f in fields(part.model.parameters):
            made.setdefault(part.called[f.name], field(default=f.default, metadata=f.metadata))
    told = [(name, Any, one) for name, one in made.items()]
    return make_dataclass("Parameters", told, frozen=True)


def _apart(
    first: Sequence[str], second: Sequence[str], prefixes: tuple[str, str]
) -> tuple[str, ...]:
    """Names of both, with the prefix where they clash."""
    both = set(first) & set(second)
    pairs = ((names, p) for names, p in zip((first, second), prefixes, strict=True))
    return tuple(f"{p.strip('_')} {n}" if n in both else n for names, p in pairs for n in names)


def _union(first: Sequence[Code], second: Sequence[Code]) -> tuple[Code, ...]:
    return (*first, *(c for c in second if c not in first))


def _channels(parts: tuple[_Part, _Part]) -> tuple[Code, ...]:
    """What can still be given from outside: a channel that a signal drives is taken."""
    left = [[c for c in p.model.channels if c not in p.driven] for p in parts]
    return _union(*left)


def _personal(parts: tuple[_Part, _Part]) -> Callable[[Record], Mapping[str, float]] | None:
    """What the record tells of either model's parameters."""
    if all(p.model.personal is None for p in parts):
        return None

    def personal(record: Record) -> Mapping[str, float]:
        return {
            p.called[name]: value
            for p in reversed(parts)
            if p.model.personal is not None
            for name, value in p.model.personal(record).items()
        }

    return personal
