"""The loop around a model whose linear states run exactly, as source.

Between events the linear states (`structure.py`) follow x(t + h) = x + F f(x), with f their rates
and F the integral of exp(A s) from 0 to h; who is at rest stays there, whatever is rounded. A is
found by asking the model's own drift at unit vectors; F is worked out once for each length of
step, by the Taylor series of a small part of it, doubled (Moler & Van Loan 2003, SIAM Review
45:3, method 3).
The other states take Runge-Kutta steps that see the linear ones where they truly are, half-way
and at the end; these steps may then be longer, the more so the longer nothing has happened
(`Model.pace`).
"""

from typing import Any

from medtwin.engine.model import Model
from medtwin.engine.structure import Structure

slots = 6
"""How many lengths of step a block keeps F for."""

tables = """
PAIRS, HALF, PACES = np.array({pairs}), np.array({half}), np.array({paces})
UNITS = np.array({units}, dtype={dtype})


@lane
def product(a, b):
    return ({product},)


@lane
def series(m, c):
    # 1 + c m, entry by entry
    return ({series},)


@njit(**settings)
def propagators(a, half_length, kept):
    # the integral of exp(A s) over half a step, and over a whole one
    rows = np.empty(({work}, W))
    largest = 0.0
    for q in range({entries}):
        for j in range(W):
            rows[q, j] = a[q, j]
            largest = max(largest, abs(a[q, j]))
    doublings = 3
    while doublings < 40 and largest * half_length > 4 * 2.0 ** (doublings - 3):
        doublings += 1
    part = half_length / 2.0**doublings
    for j in range(W):
        m = ({m_scaled},)
        f = series(m, {last})
{horner}
        e = series(product(m, f), 1.0)
{keep_e}
{keep_f_part}
    for k in range(doublings + 1):
        if k == doublings:
            for q in range({entries}):
                for j in range(W):
                    kept[q, j] = rows[{entries} + q, j]
        for j in range(W):
            e = ({e_rows},)
            f = ({f_rows},)
            g = product(e, f)
            e = product(e, e)
{keep_e_late}
{keep_f_more}
    for q in range({entries}):
        for j in range(W):
            kept[{entries} + q, j] = rows[{entries} + q, j]

"""

prepare = """    stale, last, current, spare = True, begin, -1, 0
    lengths = np.full({slots}, -1.0)
    kept = np.empty(({slots}, 2 * {entries}, W), {dtype})
    probe = np.empty(({linear} + 1, {linear}, W), {dtype})
    drifting = np.empty(({entries}, W))
"""

pause = """            if stale:
                for c in range({linear} + 1):
                    for j in range(W):
                        p = Person({p_rows})
                        w = ({w_rows},)
                        a = drift(T(t), ({unit_x},), ({no_u},), p, w)
{keep_probe}
                for q in range({entries}):
                    for j in range(W):
                        drifting[q, j] = (
                            probe[PAIRS[q, 1] + 1, PAIRS[q, 0], j] - probe[0, PAIRS[q, 0], j])
                lengths[:] = -1.0
                stale, current = False, -1
            wanted, until = PACES[0, 1], np.inf
            for q in range(PACES.shape[0]):
                if t - last >= PACES[q, 0] - 1e-9:
                    wanted, until = PACES[q, 1], np.inf
                    if q + 1 < PACES.shape[0]:
                        until = last + PACES[q + 1, 0]
            stop = min(stop, until)
"""

flow = """            steps = max(1, int(np.ceil((stop - t) / wanted - 1e-9)))
            length = (stop - t) / steps
            h, half, sixth, two = T(length), T(length / 2), T(length / 6), T(2)
            slot = -1
            for q in range({slots}):
                if abs(lengths[q] - length) <= 1e-9 * length:
                    slot = q
            if slot < 0:
                slot, spare = spare, (spare + 1) % {slots}
                lengths[slot] = length
                propagators(drifting, length / 2, kept[slot])
                current = -1
            if slot != current:
                for q in range({entries}):
                    for j in range(W):
                        rows[{full0} + q, j] = kept[slot, {entries} + q, j]
                for q in range(len(HALF)):
                    for j in range(W):
                        rows[{half0} + q, j] = kept[slot, HALF[q], j]
                current = slot
            for s in range(steps):
                now, mid = T(t + s * length), T(t + (s + 0.5) * length)
                later = T(t + (s + 1) * length)
                for j in range(W):
                    p = Person({p_rows})
                    w = ({w_rows},)
                    u = ({u_rows},)
                    x = ({x_rows},)
                    a = drift(now, x, u, p, w)
{first}
                for j in range(W):
                    p = Person({p_rows})
                    w = ({w_rows},)
                    u = ({u_rows},)
                    x = ({halfway},)
                    b = drift(mid, x, u, p, w)
{second}
                for j in range(W):
                    p = Person({p_rows})
                    w = ({w_rows},)
                    u = ({u_rows},)
                    x = ({halfway},)
                    c = drift(mid, x, u, p, w)
{third}
                for j in range(W):
                    p = Person({p_rows})
                    w = ({w_rows},)
                    u = ({u_rows},)
                    x = ({at_end},)
                    d = drift(later, x, u, p, w)
{last_stage}
"""


def tables_source(model: Model[Any], found: Structure, kind: str) -> str:
    """The constants and the matrix functions of one model's linear states."""
    pairs = _pairs(found)
    n, at = len(pairs), {pair: q for q, pair in enumerate(pairs)}
    place = {i: k for k, i in enumerate(found.linear)}
    units = [[float(i == k) for i in range(len(model.states))] for k in (-1, *found.linear)]
    terms, every = 7 if kind == "float32" else 12, range(n)
    return tables.format(
        pairs=[(place[i], place[j]) for i, j in pairs],
        half=_half(found),
        units=units,
        paces=[tuple(map(float, pace)) for pace in model.pace],
        dtype=f"np.{kind}",
        entries=n,
        work=3 * n,
        product=", ".join(_entry(found, at, i, j) for i, j in pairs),
        series=", ".join(
            f"1.0 + c * m[{q}]" if i == j else f"c * m[{q}]" for q, (i, j) in enumerate(pairs)
        ),
        last=1.0 / terms,
        m_scaled=", ".join(f"rows[{q}, j] * part" for q in every),
        horner=_lines(
            8, [f"f = series(product(m, f), {1.0 / k})" for k in range(terms - 1, 1, -1)]
        ),
        keep_e=_lines(8, [f"rows[{2 * n + q}, j] = e[{q}]" for q in every]),
        keep_f_part=_lines(8, [f"rows[{n + q}, j] = f[{q}] * part" for q in every]),
        e_rows=", ".join(f"rows[{2 * n + q}, j]" for q in every),
        f_rows=", ".join(f"rows[{n + q}, j]" for q in every),
        keep_e_late=_lines(12, [f"rows[{2 * n + q}, j] = e[{q}]" for q in every]),
        keep_f_more=_lines(12, [f"rows[{n + q}, j] = f[{q}] + g[{q}]" for q in every]),
    )


def _entry(found: Structure, at: dict[tuple[int, int], int], i: int, j: int) -> str:
    """One entry of the product of two matrices with these zeros."""
    through = [k for k in found.linear if {(i, k), (k, j)} <= at.keys()]
    return " + ".join(f"a[{at[i, k]}] * b[{at[k, j]}]" for k in through)


def paced_places(model: Model[Any], found: Structure, places: dict[str, Any]) -> dict[str, Any]:
    """What the paced block has besides the plain one: more rows, and how states advance."""
    pairs, full0 = _pairs(found), places["rows"]
    half0 = full0 + len(pairs)
    mid0 = half0 + len(_half(found))
    free = len(model.states) - len(found.linear)
    more = {
        "slots": slots,
        "entries": len(pairs),
        "linear": len(found.linear),
        "full0": full0,
        "half0": half0,
        "rows": mid0 + len(found.read) + 2 * free,
        "unit_x": ", ".join(f"UNITS[c, {i}]" for i in range(len(model.states))),
        "no_u": ", ".join("T(0)" for _ in model.channels) or "T(0)",
        "keep_probe": _lines(
            24, [f"probe[c, {n}, j] = a[{i}]" for n, i in enumerate(found.linear)]
        ),
        **_moves(model, found, full0, half0, mid0),
    }
    told = {**places, **more}
    return told | {
        "prepare": prepare.format(**told),
        "pause": pause.format(**told),
        "flow": flow.format(**told),
        "unsettle": " " * 16 + "last = t",
        "unsettle_person": " " * 28 + "stale = True",
    }


def _moves(
    model: Model[Any], found: Structure, full0: int, half0: int, mid0: int
) -> dict[str, str]:
    """Where every state is at each stage of a step, and at its end."""
    linear, pairs = set(found.linear), _pairs(found)
    ends = {i: [f"x[{i}]"] for i in found.linear}
    for q, (i, j) in enumerate(pairs):
        ends[i].append(f"rows[{full0 + q}, j] * a[{j}]")
    mids = {i: [f"x[{i}]"] for i in found.read}
    for n, q in enumerate(_half(found)):
        i, j = pairs[q]
        mids[i].append(f"rows[{half0 + n}, j] * a[{j}]")

    free = [i for i in range(len(model.states)) if i not in linear]
    y = {i: mid0 + n for n, i in enumerate([*free, *found.read])}
    total = {i: mid0 + len(y) + n for n, i in enumerate(free)}

    def towards(length: str, rate: str) -> list[str]:
        return [f"rows[{y[i]}, j] = rows[{i}, j] + {length} * {rate}[{i}]" for i in free]

    def seen(known: dict[int, int]) -> str:
        return ", ".join(f"rows[{known.get(i, i)}, j]" for i in range(len(model.states)))

    def added(rate: str) -> list[str]:
        return [f"rows[{total[i]}, j] += two * {rate}[{i}]" for i in free]

    exact = [f"rows[{y[i]}, j] = {' + '.join(parts)}" for i, parts in mids.items()]
    exact += [f"rows[{i}, j] = {' + '.join(parts)}" for i, parts in ends.items()]
    kept = [f"rows[{total[i]}, j] = a[{i}]" for i in free]
    ended = [f"rows[{i}, j] += sixth * (rows[{total[i]}, j] + d[{i}])" for i in free]
    return {
        "halfway": seen(y),
        "at_end": seen({i: y[i] for i in free}),
        "first": _lines(20, towards("half", "a") + kept + exact),
        "second": _lines(20, towards("half", "b") + added("b")),
        "third": _lines(20, towards("h", "c") + added("c")),
        "last_stage": _lines(20, ended),
        **_swayed(model, linear),
    }


def _swayed(model: Model[Any], linear: set[int]) -> dict[str, str]:
    """What tells whether the step is too long for the states that take steps."""
    xs = range(len(model.states))
    free = [i for i in xs if i not in linear]

    def moved(length: str, rate: str) -> str:
        return ", ".join(
            f"x[{i}]" if i in linear else f"x[{i}] + {length} * {rate}[{i}]" for i in xs
        )

    return {
        "half_a": moved("half", "a"),
        "half_b": moved("half", "b"),
        "whole_c": moved("h", "c"),
        "swing": " + ".join(f"abs(d[{i}] - c[{i}])" for i in free) or "T(0)",
        "reach": " + ".join(f"abs(h * c[{i}] - half * b[{i}])" for i in free) or "T(0)",
    }


def _pairs(found: Structure) -> list[tuple[int, int]]:
    """The entries of F that are not zero, as (state, state it depends on)."""
    return [(i, j) for i, those in found.reach().items() for j in those]


def _half(found: Structure) -> list[int]:
    """Which of them are needed half-way: those of states that the others' rates read."""
    return [q for q, (i, _) in enumerate(_pairs(found)) if i in found.read]


def _lines(indent: int, lines: list[str]) -> str:
    return "\n".join(" " * indent + line for line in lines)
