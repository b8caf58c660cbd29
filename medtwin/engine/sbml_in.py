"""A model from an SBML file (levels 2 and 3, core), as BioModels keeps them.

Every species that reactions change is a state in amounts; what a formula says of it is its
concentration unless the file says otherwise. Numbers become parameters, rules and kinetic laws
become lines of plain arithmetic, and the engine compiles them like those of a model file. What
cannot be held is refused by name; nothing is left out in silence.

Hucka et al. (2019), SBML level 3 version 2 core, J Integr Bioinform 16:20190021.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, make_dataclass, replace
from typing import Any
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

import numpy as np

from medtwin.engine.from_text import functions
from medtwin.engine.mathml import TIME, Unsupported, Words, plain, plain_names, tag
from medtwin.engine.model import Model, seconds_in, varies
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import whoever_stays
from medtwin.maths import functions as allowed
from medtwin.record.codes import Code, Kind

lane_words = {n: f for n, f in vars(allowed).items() if callable(f) and n[0].islower()}
taken = {"t", "x", "u", "p", "code", "amount", "abs", *lane_words}
halvings = 12
refused = {
    "algebraicRule": "an algebraic rule; solve it for one variable and give an assignment rule",
    "fastReaction": "a fast reaction; replace it by the balance that it keeps",
    "listOfConstraints": "constraints; take them out, they change no number",
    "stoichiometryMath": "a stoichiometry that is a formula; write the number",
    "conversionFactor": "a conversion factor; write the model in one unit of substance",
    "delay": "an event with a delay; give the later time in its trigger",
    "priority": "an event with a priority; give events different times",
}


@dataclass(frozen=True)
class FromFile:
    """The model, and the timed events of the file: give them with every run."""

    model: Model[Any]
    events: tuple[Given, ...]


@dataclass(frozen=True)
class _Read:
    """The file in tables: numbers, who is a state, and the formulas of everything else."""

    title: str
    name: str
    clock: str
    values: dict[str, float | None]
    sizes: dict[str, str]
    substance: set[str]
    states: list[str]
    moved: dict[str, list[tuple[float, str]]]
    rates: dict[str, Element]
    assigned: dict[str, Element]
    initial: dict[str, Element]
    laws: dict[str, tuple[Element, dict[str, float]]]
    bodies: dict[str, Element]
    events: list[tuple[str, Element]]
    asks_time: bool


def from_sbml(text: str, until: float, clock: str = "", tolerance: float = 1e-7) -> FromFile:
    """The model in this SBML text, with a step proved up to the time `until`.

    `clock` is the file's unit of time where it does not say it (of `seconds_in`). Each
    species that reactions change can be given: its code ends in `.given`.
    Raises Unsupported, with the part and what to do, for what a model here cannot hold, and for
    a model too stiff for steps at this tolerance.
    """
    read = _tables(_model_element(text), clock)
    model, events = _built(read)
    return FromFile(_proved(model, events, until, tolerance), events)


def _model_element(text: str) -> Element:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise Unsupported("the file declares a document type or entities; SBML has neither")
    try:
        root = ET.fromstring(text.encode())  # noqa: S314  entities were refused above
    except ET.ParseError as broken:
        raise Unsupported(f"this is not well-formed XML: {broken}") from broken
    level = root.get("level", "")
    if tag(root) != "sbml" or level not in ("2", "3"):
        raise Unsupported(f"<{tag(root)}> level {level or 'none'}; SBML of level 2 or 3 is read")
    for name, value in root.attrib.items():
        if name.endswith("}required") and value == "true":
            raise Unsupported(f"the package {name[1:].split('}')[0]}; core SBML alone is read")
    model = next((e for e in root if tag(e) == "model"), None)
    if model is None:
        raise Unsupported("the file holds no model")
    for element in model.iter():
        if tag(element) in refused or element.get("conversionFactor"):
            what = tag(element) if tag(element) in refused else "conversionFactor"
            raise Unsupported(f"the file has {refused[what]}")
        if tag(element) == "reaction" and element.get("fast") == "true":
            raise Unsupported(f"the file has {refused['fastReaction']} ({element.get('id')})")
    return model


def _listed(model: Element, kind: str) -> Iterator[Element]:
    """The entries of a list such as listOfSpecies."""
    for group in model:
        if tag(group) == f"listOf{kind}":
            yield from group


def _math(element: Element) -> Element:
    found = next((e for e in element if tag(e) == "math"), None)
    if found is None:
        raise Unsupported(f"{tag(element)} {element.get('id') or ''} has no formula; write one")
    return found


def _float(element: Element, name: str) -> float | None:
    told = element.get(name)
    return None if told is None else float(told)


def _tables(model: Element, clock: str) -> _Read:
    values = {c.get("id", ""): _float(c, "size") for c in _listed(model, "Compartments")}
    values = {k: 1.0 if v is None else v for k, v in values.items()}
    values |= {p.get("id", ""): _float(p, "value") for p in _listed(model, "Parameters")}
    species = list(_listed(model, "Species"))
    sizes = {s.get("id", ""): s.get("compartment", "") for s in species}
    substance = {s.get("id", "") for s in species if s.get("hasOnlySubstanceUnits") == "true"}
    rules = list(_listed(model, "Rules"))
    assigned = {r.get("variable", ""): _math(r) for r in rules if tag(r) == "assignmentRule"}
    rates = {r.get("variable", ""): _math(r) for r in rules if tag(r) == "rateRule"}
    initial = {r.get("symbol", ""): _math(r) for r in _listed(model, "InitialAssignments")}
    fixed = {
        s.get("id", "")
        for s in species
        if s.get("boundaryCondition") == "true" or s.get("constant") == "true"
    }
    laws, moved = _reactions(model, fixed)
    values |= {i: v for s in species if (i := s.get("id", "")) is not None for v in [_begin(s)]}
    events = [(e.get("id") or f"event_{k}", e) for k, e in enumerate(_listed(model, "Events"))]
    set_by_events = [
        a.get("variable", "") for _, e in events for a in _listed(e, "EventAssignments")
    ]
    states = list(dict.fromkeys([*moved, *rates, *set_by_events]))
    _amounts(species, values, substance, moved)
    bodies = {f.get("id", ""): _math(f)[0] for f in _listed(model, "FunctionDefinitions")}
    return _Read(
        model.get("id") or "sbml",
        model.get("name") or model.get("id") or "a model from SBML",
        clock or _clock(model),
        *(values, sizes, substance, states, moved, rates, assigned, initial, laws, bodies, events),
        _asks_time(model),
    )


def _asks_time(model: Element) -> bool:
    """Whether a formula other than a trigger speaks of time, which is then a state of its own."""
    triggers = {id(e) for t in model.iter() if tag(t) == "trigger" for e in t.iter()}
    return any(e.get("definitionURL") == TIME and id(e) not in triggers for e in model.iter())


def _begin(species: Element) -> float | None:
    """The value that a species is given, as it is given; `_amounts` makes it what formulas mean."""
    amount = _float(species, "initialAmount")
    return amount if amount is not None else _float(species, "initialConcentration")


def _amounts(
    species: Sequence[Element],
    values: dict[str, float | None],
    substance: set[str],
    moved: Mapping[str, Any],
) -> None:
    """States of reactions begin as amounts; everything else as what its name means in formulas."""
    for one in species:
        name, size = one.get("id", ""), values.get(one.get("compartment", ""))
        value = values[name]
        if value is None or size is None:
            continue
        as_amount = one.get("initialAmount") is not None
        wants_amount = name in moved or name in substance
        if as_amount and not wants_amount:
            values[name] = value / size
        elif wants_amount and not as_amount:
            values[name] = value * size


def _reactions(
    model: Element, fixed: set[str]
) -> tuple[dict[str, tuple[Element, dict[str, float]]], dict[str, list[tuple[float, str]]]]:
    """Each reaction's law with its local numbers, and what each species gains from which."""
    laws: dict[str, tuple[Element, dict[str, float]]] = {}
    moved: dict[str, list[tuple[float, str]]] = {}
    for k, reaction in enumerate(_listed(model, "Reactions")):
        name = reaction.get("id") or f"reaction_{k}"
        law = next((e for e in reaction if tag(e) == "kineticLaw"), None)
        if law is None:
            raise Unsupported(f"the reaction {name} has no kinetic law; give it one")
        local = [*_listed(law, "Parameters"), *_listed(law, "LocalParameters")]
        laws[name] = (_math(law), {e.get("id", ""): _own(e, name) for e in local})
        for kind, sign in (("Reactants", -1.0), ("Products", 1.0)):
            for part in _listed(reaction, kind):
                species = part.get("species", "")
                if species not in fixed:
                    share = _float(part, "stoichiometry")
                    gained = sign * (1.0 if share is None else share)
                    moved.setdefault(species, []).append((gained, name))
    return laws, moved


def _own(element: Element, reaction: str) -> float:
    """The value of a number that a reaction keeps for itself."""
    value = _float(element, "value")
    if value is None:
        raise Unsupported(
            f"the file gives no value for {element.get('id')} of {reaction}; write one"
        )
    return value


def _clock(model: Element) -> str:
    """The model's unit of time: what it says, or seconds (the default of level 2)."""
    said = model.get("timeUnits", "time")
    for unit in _listed(model, "UnitDefinitions"):
        if unit.get("id") == said:
            one = next(_listed(unit, "Units"), None)
            if one is not None and one.get("kind") == "second":
                length = float(one.get("multiplier", 1)) * 10 ** float(one.get("scale", 0))
                for name, seconds in seconds_in.items():
                    if abs(length / seconds - 1) < 1e-3:
                        return name
                raise Unsupported(
                    f"a unit of time of {length:g} s; scale the file to one of "
                    f"{', '.join(seconds_in)}"
                )
    return "s"


class _Lines:
    """The lines of a function: what a formula needs is worked out before it, in order."""

    def __init__(self, read: _Read, names: Mapping[str, str], local: Mapping[str, str]) -> None:
        self.read, self.names, self.local = read, names, local
        self.lines: list[str] = []
        self.done: set[str] = set()
        self.under_way: list[str] = []

    def formula(self, math: Element, more: Mapping[str, str] | None = None) -> str:
        """The formula in plain arithmetic, with everything it speaks of worked out above."""
        spoken = self._spoken(math)
        for name in spoken:
            if name not in (more or {}):
                self.need(name)
        return plain(math, Words({**self.names, **(more or {})}, self.read.bodies))

    def _spoken(self, math: Element) -> list[str]:
        own = [(e.text or "").strip() for e in math.iter() if tag(e) == "ci"]
        return [n for n in own if n in self.names]

    def need(self, name: str) -> None:
        """Work a name out, once."""
        if name in self.done:
            return
        if name in self.under_way:
            raise Unsupported(f"{name} depends on itself; such a loop is an algebraic rule")
        self.under_way.append(name)
        line = self._worth(name)
        if line:
            self.lines.append(f"{self.names[name]} = {line}")
        self.done.add(name)
        self.under_way.pop()

    def _worth(self, name: str) -> str:
        read = self.read
        if name in read.assigned:
            return self.formula(read.assigned[name])
        if name in read.laws:
            law, local = read.laws[name]
            return self.formula(law, {k: self.local[f"{name}.{k}"] for k in local})
        if name in read.states:
            return self._state(name)
        if name in read.initial:
            self.settled(name, name)
            return self.formula(read.initial[name])
        return f"p.{self.names[name]}"

    def _state(self, name: str) -> str:
        """A state as formulas mean it: a species by its concentration."""
        row = f"x[{self.read.states.index(name)}]"
        return self.per_size(name, row) if name in self.read.moved else row

    def settled(self, name: str, asked: str) -> None:
        """Whether a number that is worked out at the start depends on nothing that changes."""
        formula = self.read.assigned.get(name) or self.read.initial.get(name)
        for other in [] if formula is None else self._spoken(formula):
            if other in self.read.states:
                raise Unsupported(
                    f"{asked} is set once from how {other} begins; write its value as a number"
                )
            self.settled(other, asked)

    def per_size(self, name: str, amount: str) -> str:
        """An amount as formulas mean it."""
        if name in self.read.substance:
            return amount
        self.need(self.read.sizes[name])
        return f"{amount} / {self.names[self.read.sizes[name]]}"


class _AtStart(_Lines):
    """The same where states are not there yet, but begin."""

    def settled(self, name: str, asked: str) -> None:
        """At the start everything is as it begins."""

    def _state(self, name: str) -> str:
        begun = self.begun(name)
        return self.per_size(name, begun) if name in self.read.moved else begun

    def begun(self, name: str) -> str:
        """A state at the start, in its own measure (reactions' species: amounts)."""
        if name not in self.read.initial:
            return f"p.{self.names[name]}"
        told = self.formula(self.read.initial[name])
        if name in self.read.moved and name not in self.read.substance:
            self.need(self.read.sizes[name])
            return f"({told}) * {self.names[self.read.sizes[name]]}"
        return told


def _built(read: _Read) -> tuple[Model[Any], tuple[Given, ...]]:
    local = [f"{r}.{k}" for r, (_, own) in read.laws.items() for k in own]
    known = [*read.values, *read.laws]
    words = plain_names([*known, *(n.replace(".", "_") for n in local)], taken)
    names = {n: words[n] for n in known}
    own = {n: f"p.{words[n.replace('.', '_')]}" for n in local}
    if not read.states:
        raise Unsupported("nothing in the file changes with time; it is not a model of a course")
    parameters = _parameters(read, names, own)
    shown, given, happens = _codes(read)
    timed = _timed(read, happens)
    text = "\n".join(
        [
            *_function("start(p)", *_start(read, names, own)),
            *_function("drift(t, x, u, p)", *_drift(read, names, own)),
            *_take(read, names, own),
            *_function("observe(x, p)", *_observe(read, names, own)),
        ]
    )
    codes = {f"shown_{k}": c for k, c in enumerate(shown)}
    codes |= {f"given_{k}": c for k, c in enumerate(given)}
    codes |= {f"event_{k}": c for k, c in enumerate(happens)}
    made = functions(read.title, text, {**lane_words, **codes})
    model = Model(
        name=read.name,
        reference=f"SBML file {read.title}",
        states=(*read.states, "time") if read.asks_time else tuple(read.states),
        units=tuple("[arb'U]" for _ in read.states) + ((read.clock,) if read.asks_time else ()),
        parameters=parameters,
        inputs=(*given, *happens),
        channels=given,
        start=made["start"],
        drift=made["drift"],
        take=made["take"],
        observe=made["observe"],
        step=1.0,
        clock=read.clock,
        trust="as far as the file's authors go; the step is proved for its own numbers",
    )
    return model, timed


def _parameters(read: _Read, names: Mapping[str, str], own: Mapping[str, str]) -> type[Any]:
    """Every number of the file, by name; where it says none, the file is refused."""
    told = {
        n: v for n, v in read.values.items() if n not in read.assigned and n not in read.initial
    }
    if missing := [n for n, v in told.items() if v is None]:
        raise Unsupported(f"the file gives no value for {', '.join(missing)}; write one")
    numbers = {names[n]: v for n, v in told.items()}
    for name, (_, local) in read.laws.items():
        numbers |= {own[f"{name}.{k}"].removeprefix("p."): v for k, v in local.items()}
    numbers = numbers or {"nothing": 0.0}
    made = [
        (n, Any, varies(v, unit="1", cv=0.0, low=-np.inf, source=f"SBML file {read.title}"))
        for n, v in numbers.items()
        if v is not None
    ]
    return make_dataclass("Parameters", made, frozen=True)


def _codes(read: _Read) -> tuple[tuple[Code, ...], tuple[Code, ...], tuple[Code, ...]]:
    """What is shown, what can be given, and the file's own events."""
    shown = tuple(Code(f"{read.title}.{n}", n, "[arb'U]") for n in _shown(read))
    given = tuple(
        Code(f"{read.title}.{n}.given", f"{n} given", "[arb'U]", kind=Kind.dose) for n in read.moved
    )
    happens = tuple(
        Code(f"{read.title}.{n}.happens", f"event {n}", "1", kind=Kind.procedure)
        for n, _ in read.events
    )
    return shown, given, happens


def _shown(read: _Read) -> list[str]:
    return list(dict.fromkeys([*read.states, *read.assigned]))


def _function(head: str, lines: Sequence[str], told: str) -> list[str]:
    return [f"def {head}:", *(f"    {line}" for line in lines), f"    return {told}", ""]


def _start(read: _Read, names: Mapping[str, str], own: Mapping[str, str]) -> tuple[list[str], str]:
    at = _AtStart(read, names, own)
    begun = [at.begun(n) for n in read.states]
    if not read.asks_time:
        return at.lines, f"({', '.join(begun)},)"
    return ["t = 0.0", *at.lines], f"({', '.join([*begun, '0.0'])},)"


def _drift(read: _Read, names: Mapping[str, str], own: Mapping[str, str]) -> tuple[list[str], str]:
    at = _Lines(read, names, own)
    rates = []
    for name in read.states:
        if name in read.rates:
            rates.append(at.formula(read.rates[name]))
            continue
        gains = read.moved.get(name, [])
        for _, reaction in gains:
            at.need(reaction)
        told = " + ".join(f"({share!r}) * {names[r]}" for share, r in gains)
        fed = f"u[{list(read.moved).index(name)}]" if name in read.moved else "0.0"
        rates.append(f"{told} + {fed}" if told else fed)
    rates += ["1.0"] if read.asks_time else []
    return [*_time_line(read), *at.lines], f"({', '.join(rates)},)"


def _observe(
    read: _Read, names: Mapping[str, str], own: Mapping[str, str]
) -> tuple[list[str], str]:
    at = _Lines(read, names, own)
    for name in _shown(read):
        at.need(name)
    told = ", ".join(f"shown_{k}: {names[n]}" for k, n in enumerate(_shown(read)))
    return [*_time_line(read), *at.lines], f"{{{told}}}"


def _time_line(read: _Read) -> list[str]:
    return [f"t = x[{len(read.states)}]"] if read.asks_time else []


def _take(read: _Read, names: Mapping[str, str], own: Mapping[str, str]) -> list[str]:
    """A dose adds to its species; an event sets what it assigns, all from the values before."""
    states = [f"state_{k}" for k in range(len(read.states))]
    lines = _time_line(read) + [f"{s} = x[{k}]" for k, s in enumerate(states)]
    for k, name in enumerate(read.moved):
        row = states[read.states.index(name)]
        lines += [f"if code == given_{k}:", f"    {row} = {row} + amount"]
    for k, (_, event) in enumerate(read.events):
        at = _Lines(read, names, own)
        set_to = []
        for one in _listed(event, "EventAssignments"):
            name = one.get("variable", "")
            value = at.formula(_math(one))
            if name in read.moved and name not in read.substance:
                at.need(read.sizes[name])
                value = f"({value}) * {names[read.sizes[name]]}"
            set_to.append(f"{states[read.states.index(name)]} = {value}")
        lines += [f"if code == event_{k}:", *(f"    {line}" for line in [*at.lines, *set_to])]
    told = [*states, "t"] if read.asks_time else states
    return _function("take(x, code, amount, p)", lines, f"({', '.join(told)},)")


def _timed(read: _Read, happens: Sequence[Code]) -> tuple[Given, ...]:
    """The file's events as what is given at their times."""
    timed = []
    for (name, event), code in zip(read.events, happens, strict=True):
        trigger = next((e for e in event if tag(e) == "trigger"), None)
        if trigger is None:
            raise Unsupported(f"the event {name} has no trigger; give it a time")
        at = _time_of(name, _math(trigger)[0], read)
        begun = trigger.get("initialValue", "true") == "true"
        if at > 0 or (at == 0 and not begun):
            timed.append(Given(at, code, 1.0))
    return tuple(timed)


def _time_of(name: str, told: Element, read: _Read) -> float:
    """The time of a trigger `time >= number` (or number <= time)."""
    wrong = Unsupported(
        f"the event {name} waits for something other than a time; take it out and give a rule "
        f"(medtwin.engine.reacting) instead"
    )
    if tag(told) != "apply" or len(told) != 3:
        raise wrong
    kind, left, right = tag(told[0]), told[1], told[2]
    if kind in ("lt", "leq"):
        left, right = right, left
    if kind not in ("lt", "leq", "gt", "geq") or tag(left) != "csymbol":
        raise wrong
    numbers = {n: repr(v) for n, v in read.values.items() if v is not None}
    try:
        return float(plain(right, Words(numbers, read.bodies)).strip("()"))
    except ValueError as other:
        raise wrong from other


def _proved(
    model: Model[Any], events: Sequence[Given], until: float, tolerance: float
) -> Model[Any]:
    """The model with the longest step whose halving changes nothing above the tolerance."""
    times = np.linspace(0.0, until, 65)[1:]
    clock, before, step = np.concatenate([[0.0], times]), None, until
    for halving in range(halvings):
        step = until / 64 / 2**halving
        run = whoever_stays(model, model.parameters(), None, events, clock, step)
        if len(run.lost) or np.any(run.halved):
            before = None  # the engine itself took smaller steps: these prove nothing
            continue
        now = run.shown
        size = np.abs(now).max(axis=0) + 1e-9 * np.abs(now).max() + 1e-300
        if before is not None and np.max(np.abs(now - before) / size) < tolerance:
            return replace(model, step=step)
        before = now
    raise Unsupported(
        f"{model.name} needs steps below {step:g} {model.clock} up to {until:g}; it is too stiff "
        f"for this engine, take a shorter `until` or a looser tolerance"
    )
