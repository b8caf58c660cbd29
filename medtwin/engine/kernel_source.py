"""The loop around a model: classical Runge-Kutta over blocks of 32 or 64 members, as source.

Everything one block needs sits in one small local array, a row for each state, rate and
parameter: LLVM then sees that rows cannot overlap, and works on all lanes at once. A run-time
width, or arrays that come from outside, cost a factor of eight.

Each of the four stages goes through all lanes before the next begins. Its rates wait for one
another (a stomach's tanh is a chain of a hundred cycles), so a processor has something to do
only where other lanes' work stands near enough to be begun meanwhile: all four stages in one
pass took 1.6 times as long.
"""

import ast
from typing import Any

from medtwin.engine.lane_source import lane_source, linear_part, parameter_names, shown_codes
from medtwin.engine.model import Model
from medtwin.engine.paced_source import paced_places, tables_source

width = {"float32": 64, "float64": 32}
"""Lanes of a block: as many as keep a block's rows near the processor, in either float type."""

opening = '''"""Generated from the model "{name}"; written anew when the model changes."""
from collections import namedtuple

import numpy as np
from numba import {kind} as T, njit, prange

from medtwin.maths.enkf_lanes import correct
from medtwin.maths.keyed_lane import two_normals
from medtwin.maths.lanes import {lanes} as lanes, fast, lane

exp, log, sqrt, sin, cos, tanh, power, tanh_gap = (
    lanes.exp, lanes.log, lanes.sqrt, lanes.sin, lanes.cos, lanes.tanh, lanes.power,
    lanes.tanh_gap)
where, positive, least, greatest, between, smooth_step, floor = (
    lanes.where, lanes.positive, lanes.least, lanes.greatest, lanes.between, lanes.smooth_step,
    lanes.floor)
Person = namedtuple("Person", {parameters!r})
W, huge, edge = {width}, T({huge}), T(3.25)
settings = dict(fastmath=fast, error_model="numpy", nogil=True)


'''

block = """
@njit(**settings, cache=True)
def {block}(first, n, begin, step, x_in, p_in, u_in, at, what, amount, seed, whose, tick, times,
          course, x_out, u_out, lost):
    rows = np.empty(({rows}, W), {dtype})
    event = np.zeros(W, np.int64)
    begun, count = np.uint64(first), np.uint64(n)  # a place that may be negative costs a gather
    many_p, many_u = int(p_in.shape[1] > 1), int(u_in.shape[1] > 1)
    many_at, many_what = int(at.shape[1] > 1), int(what.shape[1] > 1)
    many_amount = int(amount.shape[1] > 1)
    events = at.shape[0]
    for i in range({states}):
        for j in range(count):
            rows[i, j] = x_in[i, begun + j]
    for i in range({channels}):
        if many_u:
            for j in range(count):
                rows[{states} + i, j] = u_in[i, begun + j]
        else:
            for j in range(n):
                rows[{states} + i, j] = u_in[i, 0]
    for i in range({parameters}):
        if many_p:
            for j in range(count):
                rows[{p0} + i, j] = p_in[i, begun + j]
        else:
            for j in range(n):
                rows[{p0} + i, j] = p_in[i, 0]
    for i in range({w0}):
        for j in range(n, W):
            rows[i, j] = rows[i, n - 1]
    for j in range(W):
        p = Person({p_rows})
        w = {worked_out}(p)
{keep_worked}
{prepare}    t = begin
    now, h, half = T(begin), T(step), T(step / 2)
    turn = np.int64(np.floor(begin / tick - 0.5 + 1e-9)) + 1 if tick < np.inf else np.int64(0)
    shake = (turn + 0.5) * tick
    due = np.inf
    if events > 0:
        for j in range(n):
            due = min(due, at[0, (first + j) * many_at])
    for o in range(len(times)):
        goal = times[o]
        while t < goal:
            if due <= t:
                due = np.inf
{unsettle}
                for j in range(W):
                    k = first + min(j, n - 1)
                    while event[j] < events and at[event[j], k * many_at] <= t:
                        code = what[event[j], k * many_what]
                        value = amount[event[j], k * many_amount]
                        if code < {inputs}:
                            p = Person({p_rows})
                            x = ({x_rows},)
                            x = take(x, code, value, p)
{keep_x}
                        elif code < {inputs} + {channels}:
                            rows[{states} + code - {inputs}, j] += value
                        else:
                            rows[{p0} + code - {inputs} - {channels}, j] *= value
                            p = Person({p_rows})
                            w = {worked_out}(p)
{keep_worked_late}
{unsettle_person}
                        event[j] += 1
                    if event[j] < events:
                        due = min(due, at[event[j], k * many_at])
            stop = min(goal, due, shake)
{pause}{flow}            t = stop
{kicks}
        for j in range(W):
            p = Person({p_rows})
            x = ({x_rows},)
            told = shown(x, p)
{keep_told}
            rows[{far0}, j] = {far}
        astray = 0
        for j in range(W):
            astray += 0 if rows[{far0}, j] < huge else 1
        if astray > 0:
            for j in range(n):
                lost[0, first + j] = (
                    lost[0, first + j] if rows[{far0}, j] < huge else min(lost[0, first + j], goal))
        for i in range({codes}):
            for j in range(count):
                course[o, i, begun + j] = rows[{told0} + i, j]
{keep_rough}
    for i in range({states}):
        for j in range(count):
            x_out[i, begun + j] = rows[i, j]
    for i in range({channels}):
        for j in range(count):
            u_out[i, begun + j] = rows[{states} + i, j]
"""

runs = """

@njit(**settings, cache=True)
def {one_by_one}(begin, step, x_in, p_in, u_in, at, what, amount, seed, whose, tick, times, course,
               x_out, u_out, lost):
    members = x_in.shape[1]
    for first in range(0, members, W):
        {block}(first, min(W, members - first), begin, step, x_in, p_in, u_in, at, what, amount,
              seed, whose, tick, times, course, x_out, u_out, lost)


@njit(**settings, cache=True, parallel=True)
def {together}(begin, step, x_in, p_in, u_in, at, what, amount, seed, whose, tick, times, course,
             x_out, u_out, lost):
    members = x_in.shape[1]
    for b in prange((members + W - 1) // W):
        first = b * W
        {block}(first, min(W, members - first), begin, step, x_in, p_in, u_in, at, what, amount,
              seed, whose, tick, times, course, x_out, u_out, lost)
"""

stepped = """            steps = max(1, int(np.ceil((stop - t) / step - 1e-9)))
            length = (stop - t) / steps
            h, half, sixth, two = T(length), T(length / 2), T(length / 6), T(2)
            for s in range(steps):
                now, mid = T(t + s * length), T(t + (s + 0.5) * length)
                later = T(t + (s + 1) * length)
                for j in range(W):
                    p = Person({p_rows})
                    w = ({w_rows},)
                    u = ({u_rows},)
                    x = ({x_rows},)
                    a = drift(now, x, u, p, w)
{keep_a}
                for j in range(W):
                    p = Person({p_rows})
                    w = ({w_rows},)
                    u = ({u_rows},)
                    x = ({y_rows},)
                    b = drift(mid, x, u, p, w)
{keep_b}
                for j in range(W):
                    p = Person({p_rows})
                    w = ({w_rows},)
                    u = ({u_rows},)
                    x = ({y_rows},)
                    c = drift(mid, x, u, p, w)
{keep_c}
                for j in range(W):
                    p = Person({p_rows})
                    w = ({w_rows},)
                    u = ({u_rows},)
                    x = ({y_rows},)
                    d = drift(later, x, u, p, w)
{keep_d}
"""

rough = """        if (o % 24 == 23 or (o == len(times) - 1 and o > 0)) and goal > begin:
            for j in range(W):
                p = Person({p_rows})
                w = ({w_rows},)
                u = ({u_rows},)
                x = ({x_rows},)
                a = drift(now, x, u, p, w)
                b = drift(now, ({half_a},), u, p, w)
                c = drift(now, ({half_b},), u, p, w)
                d = drift(now, ({whole_c},), u, p, w)
                rows[{far0}, j] = h * ({swing}) - edge * ({reach})
            for j in range(n):
                if rows[{far0}, j] > 0:
                    lost[1, first + j] = min(lost[1, first + j], goal)
"""

kicks = """            if t >= shake:
                root = T(np.sqrt(tick))
                for j in range(W):
                    member = whose[first + min(j, n - 1)]
                    p = Person({p_rows})
                    u = ({u_rows},)
                    x = ({x_rows},)
                    sizes = noise(T(t), x, u, p)
{draws}
                turn += 1
                shake = (turn + 0.5) * tick
"""

solved = """            length = T(stop - t)
            for j in range(W):
                p = Person({p_rows})
                w = ({w_rows},)
                u = ({u_rows},)
                x = ({x_rows},)
                x = solution(length, x, u, p, w)
{keep_solved}
"""

follow = """

EASE = np.array({ease})


@njit(**settings)
def next_healthy(lost, j):
    for k in range(1, len(lost)):
        if not lost[(j + k) % len(lost)] < np.inf:
            return (j + k) % len(lost)
    return j


@njit(**settings)
def again(begin, step, x, p, u, at, what, amount, whose, times, course, ends, rates, lost, j):
    # one member that went out of bounds, in smaller steps, until it no longer does
    own_x, own_p, own_u = x[:, j:j + 1].copy(), p[:, j:j + 1].copy(), u[:, j:j + 1].copy()
    k = j if amount.shape[1] > 1 else 0
    own_amount, own_lost = amount[:, k:k + 1].copy(), np.empty((2, 1))
    own_course, own_ends = course[:, :, j:j + 1].copy(), own_x.copy()
    own_rates = own_u.copy()
    for halving in range(1, 7):
        if lost[0, j] < np.inf:
            own_lost[:] = np.inf
            one_by_one(begin, step / 2.0**halving, own_x, own_p, own_u, at, what, own_amount,
                       np.uint64(0), whose, np.inf, times, own_course, own_ends, own_rates,
                       own_lost)
            lost[0, j] = own_lost[0, 0]
            course[:, :, j:j + 1], ends[:, j:j + 1] = own_course, own_ends
            rates[:, j:j + 1] = own_rates


@njit(**settings)
def held(row, told):
    for j in range(len(row)):
        row[j] = positive(told[j])


@njit(**settings)
def unlogged(row, logs, low, high):
    for j in range(len(row)):
        row[j] = between(exp(logs[j]), low, high)


@njit(**settings)
def changed(p, logs, learned, what, amount):
    # what a plan has changed stays so, and what is believed of it with it
    for e in range(what.shape[0]):
        i = what[e, 0] - {inputs} - {channels}
        if i >= 0:
            for j in range(p.shape[1]):
                factor = amount[e, j if amount.shape[1] > 1 else 0]
                p[i, j] *= factor
                for k in range(len(learned)):
                    if learned[k] == i:
                        logs[k, j] += log(factor)


@njit(**settings)
def eased(step, quiet):
    # the model's own step, longer as its pace is when nothing has happened for a while
    chosen = step
    for q in range(EASE.shape[0]):
        if quiet >= EASE[q, 0] - 1e-9:
            chosen = step * EASE[q, 1]
    return chosen
"""

following = """

@njit(**settings, cache=True)
def {follow}(begin, step, belief, p, u, learned, low, high, at, what, amount, times, sensor,
           values, noises, draws, shaken, forecast, replaced):
    members = belief.shape[1]
    lost = np.empty((2, members))
    rates, whose = np.empty_like(u), np.zeros(members, np.int64)
    ends = np.empty(({states}, members), belief.dtype)
    course = np.empty((1, {codes}, members), belief.dtype)
    first, then, happened = 0, begin, begin
    for r in range(len(times)):
        last = first
        while last < at.shape[0] and at[last, 0] < times[r]:
            happened = at[last, 0]
            last += 1
        length = eased(step, then - happened)
        lost[:] = np.inf
        {carry}(then, length, belief[:{states}], p, u, at[first:last], what[first:last],
                   amount[first:last], np.uint64(0), whose, np.inf, times[r:r + 1], course, ends,
                   rates, lost)
        for j in range(members):
            if lost[0, j] < np.inf:
                again(then, length, belief[:{states}], p, u, at[first:last], what[first:last],
                      amount[first:last], whose, times[r:r + 1], course, ends, rates, lost, j)
        u[:] = rates
        changed(p, belief[{states}:], learned, what[first:last], amount[first:last])
        for j in range(members):
            if lost[0, j] < np.inf:
                k = next_healthy(lost[0], j)
                ends[:, j] = ends[:, k]
                course[0, :, j] = course[0, :, k]
                belief[{states}:, j] = belief[{states}:, k]
                p[:, j] = p[:, k]
                u[:, j] = u[:, k]
                replaced[r] += 1
        belief[:{states}] = ends
{shake}
        predicted = course[0, sensor]
        forecast[r, :] = predicted
        if not np.isnan(values[r]):
            heard = (values[r] + noises[r] * draws[r]).astype(belief.dtype)
            correct(belief, predicted, heard, noises[r])
            for i in range({states}):
                held(belief[i], belief[i])
            for i in range(len(learned)):
                unlogged(p[learned[i]], belief[{states} + i], low[i], high[i])
        first, then = last, times[r]
"""

shaken = """
        root = T(np.sqrt(times[r] - then))
        for j in range(members):
            x = ({belief_x},)
            sizes = noise(T(times[r]), x, ({u_each},), Person({p_each}))
{add}
"""


def kernel_source(model: Model[Any], kind: str) -> str:
    """A module's text: the model's functions, and the loops over blocks, in `float32` or `float64`.

    Raises NotPlain where the model's lines cannot be compiled.
    """
    text = lane_source(model)
    names = parameter_names(model)
    filled = opening.format(
        name=model.name,
        kind=kind,
        lanes="single" if kind == "float32" else "double",
        parameters=names,
        width=width[kind],
        huge=1e15,
    )
    places = _places(model, text, kind)
    for name in ("prepare", "pause", "unsettle", "unsettle_person"):
        places[name] = ""
    places["flow"] = (solved if model.solution is not None else stepped).format(**places)
    places["ease"] = _ease(model)
    noisy, closed = model.noise is not None, model.solution is not None
    places["kicks"] = kicks.format(**places) if noisy else ""
    places["keep_rough"] = "" if closed else rough.format(**places)
    places["shake"] = shaken.format(**places) if model.noise is not None else ""
    parts = [filled + text + "\n\n", *_loops(places), follow.format(**places)]
    for named, carry in (("follow", "one_by_one"), ("follow_together", "together")):
        parts.append(following.format(**places, follow=named, carry=carry))
    found = linear_part(model) if model.pace else None
    if found is not None and found.linear:
        paced = paced_places(model, found, places)
        paced["keep_rough"] = rough.format(**paced)
        named = {k: f"paced_{k}" for k in ("block", "one_by_one", "together")}
        parts += [tables_source(model, found, kind), *_loops(paced | named)]
    return _short("".join(parts))


def _ease(model: Model[Any]) -> list[tuple[float, float]]:
    """How many times its own step a model may take, so long after the last event."""
    shortest = model.pace[0][1] if model.pace else 1.0
    return [(after, long / shortest) for after, long in model.pace] or [(0.0, 1.0)]


def _loops(places: dict[str, Any]) -> list[str]:
    """A block, and the two ways to go through all of them."""
    return [block.format(**places), runs.format(**places)]


class _InPieces(ast.NodeTransformer):
    """Tuples of more than 30 as sums of shorter ones: CPython builds longer ones by way of a
    list, which numba does not follow."""

    def visit_Tuple(self, node: ast.Tuple) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Store) or len(node.elts) <= 30:
            return node
        first = ast.Tuple(node.elts[:30], ast.Load())
        return ast.BinOp(first, ast.Add(), self.visit_Tuple(ast.Tuple(node.elts[30:], ast.Load())))


def _short(text: str) -> str:
    return ast.unparse(_InPieces().visit(ast.parse(text)))


def _places(model: Model[Any], text: str, kind: str) -> dict[str, Any]:
    """What stands where in a block's rows: states, rates, parameters, what was worked out."""
    states, channels = len(model.states), len(model.channels)
    source = "worked_out_once" if model.solution is not None else "worked_out"
    parameters, worked = len(parameter_names(model)), _worked(text, source)
    codes = len(shown_codes(model))
    p0, w0 = states + channels, states + channels + parameters
    xs = range(states)
    y0 = w0 + worked + 1 + codes
    sum0 = y0 + states
    return {
        "dtype": f"np.{kind}",
        "worked_out": source,
        **{name: name for name in ("block", "one_by_one", "together")},
        "rows": sum0 + states,
        "far0": w0 + worked,
        "told0": w0 + worked + 1,
        "states": states,
        "codes": codes,
        "channels": channels,
        "parameters": parameters,
        "inputs": len(model.inputs),
        "p0": p0,
        "w0": w0,
        "far": " + ".join(f"abs(x[{i}])" for i in xs),
        "p_rows": _rows(p0, parameters),
        "w_rows": _rows(w0, worked),
        "u_rows": _rows(states, channels) or "T(0)",
        "x_rows": _rows(0, states),
        "half_a": ", ".join(f"x[{i}] + half * a[{i}]" for i in xs),
        "half_b": ", ".join(f"x[{i}] + half * b[{i}]" for i in xs),
        "whole_c": ", ".join(f"x[{i}] + h * c[{i}]" for i in xs),
        "y_rows": _rows(y0, states),
        "keep_a": _staged(
            [f"rows[{y0 + i}, j] = x[{i}] + half * a[{i}]" for i in xs],
            [f"rows[{sum0 + i}, j] = a[{i}]" for i in xs],
        ),
        "keep_b": _staged(
            [f"rows[{y0 + i}, j] = rows[{i}, j] + half * b[{i}]" for i in xs],
            [f"rows[{sum0 + i}, j] += two * b[{i}]" for i in xs],
        ),
        "keep_c": _staged(
            [f"rows[{y0 + i}, j] = rows[{i}, j] + h * c[{i}]" for i in xs],
            [f"rows[{sum0 + i}, j] += two * c[{i}]" for i in xs],
        ),
        "keep_d": _lines(
            20, [f"rows[{i}, j] += sixth * (rows[{sum0 + i}, j] + d[{i}])" for i in xs]
        ),
        "keep_worked": _lines(8, [f"rows[{w0 + i}, j] = w[{i}]" for i in range(worked)]),
        "keep_worked_late": _lines(28, [f"rows[{w0 + i}, j] = w[{i}]" for i in range(worked)]),
        "swing": " + ".join(f"abs(d[{i}] - c[{i}])" for i in xs),
        "reach": " + ".join(f"abs(h * c[{i}] - half * b[{i}])" for i in xs),
        "draws": _draws(states),
        "keep_x": _lines(28, [f"rows[{i}, j] = x[{i}]" for i in xs]),
        "keep_solved": _lines(16, [f"rows[{i}, j] = x[{i}]" for i in xs]),
        "belief_x": ", ".join(f"belief[{i}, j]" for i in xs),
        "u_each": ", ".join(f"u[{i}, j]" for i in range(channels)) or "T(0)",
        "p_each": ", ".join(f"p[{i}, j]" for i in range(parameters)),
        "add": _lines(12, [f"belief[{i}, j] += root * sizes[{i}] * shaken[r, {i}, j]" for i in xs]),
        "keep_told": _lines(
            12, [f"rows[{w0 + worked + 1 + i}, j] = told[{i}]" for i in range(codes)]
        ),
    }


def _staged(*lines: list[str]) -> str:
    return _lines(20, [line for some in lines for line in some])


def _draws(states: int) -> str:
    """The model's own noise, two states at a time: as many normals as one key gives."""
    lines = []
    for i in range(0, states, 2):
        lines.append(f"one, other = two_normals(seed, member, turn, {i // 2})")
        lines += [
            f"rows[{k}, j] += root * sizes[{k}] * T({z})"
            for k, z in ((i, "one"), (i + 1, "other"))
            if k < states
        ]
    return _lines(20, lines)


def _worked(text: str, source: str) -> int:
    """How many values are worked out once per person."""
    body = text.split(f"def {source}(")[1].split("return ")[1].split("\n")[0]
    return body.count(",") if body.endswith(",)") else body.count(",") + 1


def _rows(first: int, count: int) -> str:
    return ", ".join(f"rows[{first + i}, j]" for i in range(count))


def _lines(indent: int, lines: list[str]) -> str:
    return "\n".join(" " * indent + line for line in lines)
