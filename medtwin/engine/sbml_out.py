"""A model and one person's plan as SBML (level 3 version 2), for programs that speak it.

States become parameters with rate rules, what a sensor shows becomes assignment rules, and what
is given becomes events at their times. Formulas are the model file's own, followed term by term.

Hucka et al. (2019), SBML level 3 version 2 core, J Integr Bioinform 16:20190021.
"""

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from medtwin.engine.lane_source import parameter_names, shown_codes
from medtwin.engine.model import Model, seconds_in
from medtwin.engine.schedule import Changed, Given, Schedule, schedule
from medtwin.engine.simulate import parameter_array
from medtwin.engine.terms import Term, mathml, named, time, used_twice


class OnePerson(ValueError):
    """SBML holds one person; a population was given."""


def to_sbml(model: Model[Any], p: Any, given: Sequence[Given | Changed] | Schedule = ()) -> str:
    """The model with one person's parameters, from rest at time 0, under what is given.

    Ids are the model's own names with `_` for what is no letter; a shown code is `shown_<id>`.
    Raises OnePerson for several members, NotWritten for a function without a formula.
    """
    numbers = parameter_array(model, p)
    plan = given if isinstance(given, Schedule) else schedule(model, given)
    if max(numbers.shape[1], plan.at.shape[1], plan.amount.shape[1]) > 1:
        raise OnePerson(f"SBML holds one person, not {numbers.shape[1]}; write one file for each")
    names = _Names(model)
    person = model.parameters(*map(named, names.parameters))
    x, u = tuple(map(named, names.states)), tuple(map(named, names.channels))
    begun, rates = model.start(person), model.drift(time, x, u, person)
    shown = list(model.observe(x, person).values())
    shared = used_twice([*rates, *shown])
    called = {id(t): f"worked_{k}" for k, t in enumerate(shared)}
    values = dict(zip(names.parameters, numbers[:, 0], strict=True))
    parts = [
        _clock(model.clock),
        _parameters(names, values, len(shared)),
        _listed(
            "InitialAssignments",
            [
                f'<initialAssignment symbol="{n}">{mathml(term, {})}</initialAssignment>'
                for n, term in zip(names.states, begun, strict=True)
            ],
        ),
        _listed("Rules", [*_assigned(shared, called), *_rules(names, rates, shown, called)]),
        _listed("Events", _events(model, plan, person, x, names)),
    ]
    return "\n".join([_opening(model), *parts, "</model>", "</sbml>"])


class _Names:
    """An SBML id for each parameter, state, channel and shown code, none of them twice."""

    def __init__(self, model: Model[Any]) -> None:
        self.taken: set[str] = set()
        self.parameters = [self.own(n) for n in parameter_names(model)]
        self.states = [self.own(n) for n in model.states]
        self.channels = [self.own(f"running_{c.id}") for c in model.channels]
        self.shown = [self.own(f"shown_{c.id}") for c in shown_codes(model)]

    def own(self, name: str) -> str:
        told = re.sub(r"\W", "_", name)
        told = f"_{told}" if told[0].isdigit() else told
        while told in self.taken:
            told += "_"
        self.taken.add(told)
        return told


def _opening(model: Model[Any]) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2">\n'
        f'<model id="{re.sub(r"[^A-Za-z0-9]", "_", f"m_{model.name}")}" '
        f'name="{escape(model.name)}" timeUnits="clock">'
    )


def _clock(clock: str) -> str:
    unit = f'<unit kind="second" exponent="1" scale="0" multiplier="{seconds_in[clock]!r}"/>'
    units = f"<listOfUnits>{unit}</listOfUnits>"
    return _listed("UnitDefinitions", [f'<unitDefinition id="clock">{units}</unitDefinition>'])


def _listed(kind: str, entries: Sequence[str]) -> str:
    inside = "\n".join(entries)
    return f"<listOf{kind}>\n{inside}\n</listOf{kind}>" if entries else ""


def _parameters(names: _Names, values: Mapping[str, float], worked: int) -> str:
    told = [(n, repr(float(v))) for n, v in values.items()]
    told += [(n, "0") for n in names.channels]
    left = [*names.states, *names.shown, *(f"worked_{k}" for k in range(worked))]
    lines = [f'<parameter id="{n}" value="{v}" constant="false"/>' for n, v in told]
    return _listed(
        "Parameters", [*lines, *(f'<parameter id="{n}" constant="false"/>' for n in left)]
    )


def _assigned(shared: Sequence[Term], called: Mapping[int, str]) -> list[str]:
    """A rule for each term that is used twice, in words of those before it."""
    rules = []
    for term in shared:
        before = {k: v for k, v in called.items() if k != id(term)}
        rules.append(_assignment(called[id(term)], term, before))
    return rules


def _assignment(variable: str, term: Any, called: Mapping[int, str]) -> str:
    return f'<assignmentRule variable="{variable}">{mathml(term, called)}</assignmentRule>'


def _rules(
    names: _Names, rates: Sequence[Any], shown: Sequence[Any], called: Mapping[int, str]
) -> list[str]:
    moving = [
        f'<rateRule variable="{n}">{mathml(rate, called)}</rateRule>'
        for n, rate in zip(names.states, rates, strict=True)
    ]
    seen = [_assignment(n, s, called) for n, s in zip(names.shown, shown, strict=True)]
    return [*moving, *seen]


def _events(
    model: Model[Any], plan: Schedule, person: Any, x: tuple[Term, ...], names: _Names
) -> list[str]:
    """One event for each time at which something is given: all of it, one after the other."""
    events = []
    for number, at in enumerate(np.unique(plan.at[np.isfinite(plan.at)])):
        rows = np.flatnonzero(plan.at[:, 0] == at)
        state, more = x, dict[str, Any]()
        for row in map(int, rows):
            state = _happened(model, plan, row, person, state, more, names)
        set_to = {n: s for n, s, old in zip(names.states, state, x, strict=True) if s is not old}
        lines = [
            f'<eventAssignment variable="{n}">{mathml(term, {})}</eventAssignment>'
            for n, term in {**set_to, **more}.items()
        ]
        due = mathml(Term("geq", (time, at)), {})
        events.append(
            f'<event id="given_{number}" useValuesFromTriggerTime="true">'
            f'<trigger initialValue="false" persistent="true">{due}</trigger>'
            f"{_listed('EventAssignments', lines)}</event>"
        )
    return events


def _happened(
    model: Model[Any],
    plan: Schedule,
    row: int,
    person: Any,
    state: tuple[Any, ...],
    more: dict[str, Any],
    names: _Names,
) -> tuple[Any, ...]:
    """The states after one thing given; rates and parameters that it changes go into `more`."""
    what, amount = int(plan.what[row, 0]), float(plan.amount[row, 0])
    inputs, channels = len(model.inputs), len(model.channels)
    if what < inputs:
        return model.take(state, model.inputs[what], amount, person)
    if what < inputs + channels:
        channel = names.channels[what - inputs]
        more[channel] = more.get(channel, named(channel)) + amount
    else:
        changed = names.parameters[what - inputs - channels]
        more[changed] = more.get(changed, named(changed)) * amount
    return state
