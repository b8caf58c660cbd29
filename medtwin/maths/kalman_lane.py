"""One member's exact filter, step by step: the lines that are compiled with a model's own.

`kalman.compiled` writes these functions into a module beside the model's `pushed`, `affine`,
`sizes` and `blur` and the constants STATES, SIZE, LINEAR and LOWER; numba compiles them as one.
Means live in `x` (all states), the covariance `P` covers the linear ones only.
"""

# ruff: noqa: ANN001, ANN201, C901  (numba's lines: arrays in and out, loops where they are fast)
# pyright: reportUndefinedVariable=false, reportMissingParameterType=false
import numpy as np
from numba import njit

# --- from here on the text is copied ---


@njit(fastmath=False)
def product(a, b, out):
    """out = a b; where the model is a chain (LOWER), only the lower triangles."""
    n = SIZE
    for i in range(n):
        for j in range(n):
            out[i, j] = 0.0
        for k in range(i + 1 if LOWER else n):
            f = a[i, k]
            for j in range(k + 1 if LOWER else n):
                out[i, j] += f * b[k, j]


@njit
def push(m, f, out):
    """out = m f for a vector f (the affine part)."""
    n = SIZE
    for i in range(n):
        s = 0.0
        for k in range(i + 1 if LOWER else n):
            s += m[i, k] * f[k]
        out[i] = s


@njit
def spread(a, p, out, work):
    """out = a p a', symmetric."""
    n = SIZE
    for i in range(n):
        for j in range(n):
            work[i, j] = 0.0
        for k in range(i + 1 if LOWER else n):
            f = a[i, k]
            for j in range(n):
                work[i, j] += f * p[k, j]
    for i in range(n):
        for j in range(i + 1):
            s = 0.0
            for k in range(j + 1 if LOWER else n):
                s += work[i, k] * a[j, k]
            out[i, j] = s
            out[j, i] = s


@njit
def exponential(a, c, h, e, g, w1, w2, v1):
    """e = exp(a h) and g = its integral on c over h: Taylor of order 5, then doublings."""
    n = SIZE
    big = 0.0
    for i in range(n):
        if LOWER:
            big = max(big, abs(a[i, i]))
        else:
            s = 0.0
            for j in range(n):
                s += abs(a[i, j])
            big = max(big, s)
    doublings = 0
    while big * h > 0.25 and doublings < 40:
        h *= 0.5
        doublings += 1
    # integral operator J = h (I + ah/2 (I + ah/3 (I + ...))), then e = I + a J and g = J c
    for i in range(n):
        for j in range(n):
            w1[i, j] = 1.0 if i == j else 0.0
    for order in range(6, 1, -1):
        product(a, w1, w2)
        for i in range(n):
            for j in range(n):
                w1[i, j] = w2[i, j] * h / order + (1.0 if i == j else 0.0)
    push(w1, c, g)
    product(a, w1, e)
    for i in range(n):
        g[i] *= h
        for j in range(n):
            e[i, j] *= h
        e[i, i] += 1.0
    for _ in range(doublings):
        push(e, g, v1)
        for i in range(n):
            g[i] += v1[i]
        product(e, e, w1)
        for i in range(n):
            for j in range(n):
                e[i, j] = w1[i, j]


@njit
def driven(t, h, x, u, p, k1, k2, k3, k4, z):
    """The states that inputs alone drive, h on: Runge-Kutta of order 4, into z."""
    pushed(t, x, u, p, k1)
    for i in range(STATES):
        z[i] = x[i] + 0.5 * h * k1[i]
    pushed(t + 0.5 * h, z, u, p, k2)
    for i in range(STATES):
        z[i] = x[i] + 0.5 * h * k2[i]
    pushed(t + 0.5 * h, z, u, p, k3)
    for i in range(STATES):
        z[i] = x[i] + h * k3[i]
    pushed(t + h, z, u, p, k4)
    for i in range(STATES):
        z[i] = x[i] + h / 6 * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i])


@njit
def matrices(t, h, x, u, p, room, vec, end, half, whole, shift, half_shift, q):
    """One step's exact propagator: probe the affine drift at mid-step, exponentiate.

    Fills `whole` and `half` (transition over h and h/2), `shift` (affine part), `q` (covariance
    that the step adds) and `end` (all states' means at its end; driven ones included).
    """
    k1, k2, k3, k4, mid = vec[0], vec[1], vec[2], vec[3], vec[4]
    a, w1, w2, w3 = room[0], room[1], room[2], room[3]
    c, v1 = vec[6][:SIZE], vec[7][:SIZE]
    driven(t, 0.5 * h, x, u, p, k1, k2, k3, k4, mid)
    driven(t + 0.5 * h, 0.5 * h, mid, u, p, k1, k2, k3, k4, end)
    affine(t + 0.5 * h, mid, u, p, a, c)
    exponential(a, c, 0.5 * h, half, half_shift, w1, w2, v1)
    push(half, half_shift, v1)
    for i in range(SIZE):
        shift[i] = half_shift[i] + v1[i]
    product(half, half, whole)
    sizes(t + 0.5 * h, mid, u, p, k1)  # mid carries the linear states' means from the start
    for i in range(SIZE):
        for j in range(SIZE):
            w1[i, j] = 0.0
        w1[i, i] = k1[LINEAR[i]] ** 2
    spread(half, w1, w2, w3)
    spread(whole, w1, q, w3)
    for i in range(SIZE):
        for j in range(SIZE):
            q[i, j] = h / 6 * (w1[i, j] + 4 * w2[i, j] + q[i, j])
    for i in range(SIZE):
        v1[i] = x[LINEAR[i]]
    push(whole, v1, c)
    for i in range(SIZE):
        end[LINEAR[i]] = c[i] + shift[i]


@njit
def carry(t, minutes, x, P, u, p, longest, room, vec, end, shift, half_shift):
    """Mean and covariance carried forward so many minutes, in place."""
    if minutes <= 0.0:
        return
    steps = max(1, int(np.ceil(minutes / longest - 1e-9)))
    h = minutes / steps
    for k in range(steps):
        matrices(
            t + k * h, h, x, u, p, room, vec, end, room[4], room[5], shift, half_shift, room[6]
        )
        spread(room[5], P, room[7], room[3])
        for i in range(SIZE):
            for j in range(SIZE):
                P[i, j] = room[7][i, j] + room[6][i, j]
        for i in range(STATES):
            x[i] = end[i]


@njit
def learn(y, x, P, row, level, noise, most, vec):
    """One reading learned from; one too surprising moves the belief as `most` sds would.

    A bounded pull (Huber 1964) and not a vanishing one, so that what stays surprising is followed.
    Returns the surprise, the sd expected, and leaves mean and covariance updated in place.
    """
    gain = vec[0]
    expected = level
    for i in range(STATES):
        expected += row[i] * x[i]
    variance = noise * noise
    for i in range(SIZE):
        s = 0.0
        for j in range(SIZE):
            s += P[i, j] * row[LINEAR[j]]
        gain[i] = s
        variance += s * row[LINEAR[i]]
    surprise = y - expected
    trusted = max(variance, np.sqrt(variance) * abs(surprise) / most)
    for i in range(SIZE):
        x[LINEAR[i]] += gain[i] / trusted * surprise
    for i in range(SIZE):
        for j in range(i + 1):
            P[i, j] -= gain[i] * gain[j] / trusted
            P[j, i] = P[i, j]
    return surprise, np.sqrt(variance)


@njit
def root(p, out):
    """A lower triangle whose square is p, where p may be singular."""
    n = SIZE
    for i in range(n):
        for j in range(n):
            out[i, j] = 0.0
    for j in range(n):
        s = p[j, j]
        for k in range(j):
            s -= out[j, k] ** 2
        if s <= 1e-12 * p[j, j] or s <= 0.0:
            continue
        out[j, j] = np.sqrt(s)
        for i in range(j + 1, n):
            s = p[i, j]
            for k in range(j):
                s -= out[i, k] * out[j, k]
            out[i, j] = s / out[j, j]


@njit
def stir(lower, z, path):
    """path += lower z."""
    for i in range(SIZE):
        for k in range(i + 1):
            path[i] += lower[i, k] * z[k]


@njit
def happen(kind, w, amount, x, P, u, usual, jumps, doubts, tells):
    """A rate begins (0) or falls back to the usual (4); a dose or a meal is taken (1)."""
    if kind == 0 or kind == 4:
        after = amount if kind == 0 else usual[w]
        for i in range(STATES):
            x[i] += tells[w, i] * (after - u[w])
        u[w] = after
    elif kind == 1:
        for i in range(STATES):
            x[i] += jumps[w, i] * amount
        for i in range(SIZE):
            P[i, i] += (doubts[w, LINEAR[i]] * amount) ** 2


@njit(cache=True)
def follow(
    start,
    times,
    kinds,
    which,
    amounts,
    x,
    P,
    u,
    usual,
    p,
    jumps,
    doubts,
    tells,
    rows,
    levels,
    longest,
    most,
):
    """Every member's replay of what happened: members first, changed in place.

    `start` and times are minutes since 1970 (UTC), sorted. Returns each reading's surprise
    and the sd expected.
    """
    members, events = x.shape[0], len(times)
    seen, sds = np.zeros((members, events)), np.zeros((members, events))
    room, vec = np.zeros((8, SIZE, SIZE)), np.zeros((8, STATES))
    end, shift, half_shift = np.zeros(STATES), np.zeros(SIZE), np.zeros(SIZE)
    blurred = np.zeros(rows.shape[1] + 1)
    for m in range(members):
        now = start
        for k in range(events):
            carry(
                now % 1440.0,
                times[k] - now,
                x[m],
                P[m],
                u[m],
                p[m],
                longest,
                room,
                vec,
                end,
                shift,
                half_shift,
            )
            now, w = times[k], which[k]
            if kinds[k] == 2:
                blur(x[m], p[m], blurred)
                seen[m, k], sds[m, k] = learn(
                    amounts[k], x[m], P[m], rows[m, w], levels[m, w], blurred[w], most, vec
                )
            else:
                happen(
                    kinds[k],
                    w,
                    amounts[k],
                    x[m],
                    P[m],
                    u[m],
                    usual[m],
                    jumps[m],
                    doubts[m],
                    tells[m],
                )
    return seen, sds


@njit(cache=True)
def roll(
    start,
    times,
    kinds,
    which,
    amounts,
    x,
    P,
    u,
    usual,
    p,
    jumps,
    doubts,
    tells,
    rows,
    levels,
    longest,
    z,
    paths,
    middle,
    variance,
):
    """Every member rolled ahead through a plan: members first, changed in place.

    kind 3 looks at observed code `which`: `middle` and `variance` (member, look) are exact;
    `paths` (member, draw, look) are draws in pairs of opposite noise z (member, draw/2, count,
    SIZE + 1), so that their mean is the exact mean.
    """
    members, events, draws = x.shape[0], len(times), paths.shape[1]
    room, vec = np.zeros((8, SIZE, SIZE)), np.zeros((8, STATES))
    end, shift, half_shift = np.zeros(STATES), np.zeros(SIZE), np.zeros(SIZE)
    blurred, lower = np.zeros(rows.shape[1] + 1), np.zeros((SIZE, SIZE))
    away, moved = np.zeros((draws // 2, SIZE)), np.zeros(SIZE)
    for m in range(members):
        now, used, look = start, 0, 0
        away[:] = 0.0
        root(P[m], lower)
        for d in range(draws // 2):
            stir(lower, z[m, d, used], away[d])
        used += 1
        for k in range(events):
            minutes = times[k] - now
            steps = int(np.ceil(minutes / longest - 1e-9)) if minutes > 0.0 else 0
            for s in range(steps):
                h = minutes / steps
                matrices(
                    now % 1440.0 + s * h,
                    h,
                    x[m],
                    u[m],
                    p[m],
                    room,
                    vec,
                    end,
                    room[4],
                    room[5],
                    shift,
                    half_shift,
                    room[6],
                )
                spread(room[5], P[m], room[7], room[3])
                root(room[6], lower)
                P[m] = room[7] + room[6]
                x[m] = end
                for d in range(draws // 2):
                    push(room[5], away[d], moved)
                    away[d] = moved
                    stir(lower, z[m, d, used], away[d])
                used += 1
            now, w = times[k], which[k]
            if kinds[k] == 3:
                blur(x[m], p[m], blurred)
                line = levels[m, w]
                for i in range(STATES):
                    line += rows[m, w, i] * x[m, i]
                scatter = blurred[w] ** 2
                for i in range(SIZE):
                    for j in range(SIZE):
                        scatter += rows[m, w, LINEAR[i]] * P[m, i, j] * rows[m, w, LINEAR[j]]
                middle[m, look], variance[m, look] = line, scatter
                for d in range(draws // 2):
                    off = blurred[w] * z[m, d, used, SIZE]
                    for i in range(SIZE):
                        off += rows[m, w, LINEAR[i]] * away[d, i]
                    paths[m, 2 * d, look] = line + off
                    paths[m, 2 * d + 1, look] = line - off
                look += 1
            else:
                happen(
                    kinds[k],
                    w,
                    amounts[k],
                    x[m],
                    P[m],
                    u[m],
                    usual[m],
                    jumps[m],
                    doubts[m],
                    tells[m],
                )
                if kinds[k] == 1:
                    for d in range(draws // 2):
                        for i in range(SIZE):
                            size = doubts[m, w, LINEAR[i]] * amounts[k]
                            away[d, i] += size * z[m, d, used, i]
            used += 1


@njit(cache=True)
def foretell(
    start, times, kinds, which, amounts, x, P, u, usual, p, jumps, doubts, tells, rows, levels,
    longest, most, horizons, coarse, middle, variance,
):  # fmt: skip
    """Every member's replay, looking ahead at each event of kind 5 with nothing announced.

    `middle` and `variance` (member, origin, horizon) are of observed code `which`; the looks
    take steps of `coarse` minutes. Horizons rise, in minutes.
    """
    members, events = x.shape[0], len(times)
    room, vec = np.zeros((8, SIZE, SIZE)), np.zeros((8, STATES))
    end, shift, half_shift = np.zeros(STATES), np.zeros(SIZE), np.zeros(SIZE)
    blurred = np.zeros(rows.shape[1] + 1)
    y, R = np.zeros(STATES), np.zeros((SIZE, SIZE))
    for m in range(members):
        now, origin = start, 0
        for k in range(events):
            carry(
                now % 1440.0, times[k] - now, x[m], P[m], u[m], p[m], longest, room, vec, end,
                shift, half_shift,
            )  # fmt: skip
            now, w = times[k], which[k]
            if kinds[k] == 2:
                blur(x[m], p[m], blurred)
                learn(amounts[k], x[m], P[m], rows[m, w], levels[m, w], blurred[w], most, vec)
            elif kinds[k] == 5:
                y[:] = x[m]
                R[:] = P[m]
                gone = 0.0
                for i in range(len(horizons)):
                    carry(
                        now % 1440.0 + gone, horizons[i] - gone, y, R, u[m], p[m], coarse, room,
                        vec, end, shift, half_shift,
                    )  # fmt: skip
                    gone = horizons[i]
                    blur(y, p[m], blurred)
                    line, scatter = levels[m, w], blurred[w] ** 2
                    for a in range(STATES):
                        line += rows[m, w, a] * y[a]
                    for a in range(SIZE):
                        for b in range(SIZE):
                            scatter += rows[m, w, LINEAR[a]] * R[a, b] * rows[m, w, LINEAR[b]]
                    middle[m, origin, i], variance[m, origin, i] = line, scatter
                origin += 1
            else:
                happen(
                    kinds[k],
                    w,
                    amounts[k],
                    x[m],
                    P[m],
                    u[m],
                    usual[m],
                    jumps[m],
                    doubts[m],
                    tells[m],
                )
