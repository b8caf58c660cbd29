"""The engine's speed and accuracy on the type 1 day, beside its peers, in one run.

    python -m evidence.engine --json [--people 3000] [--no-reference]

A day: basal rate all day, three meals eaten at 5 g/min, each with its bolus over 5 minutes by
the person's own ratio, a reading every 5 minutes. People are drawn by
`physiology.virtual_people` (synthetic). Measured: patient-days per second of our engine in
float32 and float64, in equal Runge-Kutta steps (general) and with the linear states run exactly
(structured), and its largest relative error against scipy's LSODA on every person; scipy's
LSODA with a compiled right-hand side; simglucose, where it is installed
(`pip install -r evidence/requirements.lock`); hand-vectorised C++, where g++ and
`MEDTWIN_SHARED/bench/engine/rk4v.cpp` are there; a day of readings into 500 members; the first
and the cached start of a fresh process. Ratios are of the same run on the same machine; the
load of the machine is printed with them, best and median of repeated runs.
"""

import argparse
import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import numpy as np
from numba import njit
from numba.np.unsafe.ndarray import to_fixed_tuple
from scipy.integrate import odeint, solve_ivp

sys.path.insert(0, str(Path(__file__).parents[1]))

from evidence.fits import by_scipy
from evidence.fits import timed as timed_fits
from medtwin.engine.following import Readings, follow
from medtwin.engine.kernel import compiled
from medtwin.engine.model import Model
from medtwin.engine.schedule import Given, schedule
from medtwin.engine.simulate import parameter_array, simulate
from medtwin.physiology import type1
from medtwin.physiology.virtual_people import VirtualPeople, people
from medtwin.record import codes

model = type1.model
general = replace(model, pace=())
"""The same model in equal Runge-Kutta steps of half a minute, as the C++ takes them."""

names = list(type1.Parameters.__dataclass_fields__)
meals = ((420.0, 50.0), (720.0, 75.0), (1080.0, 75.0))
readings = np.arange(0.0, 1441.0, 5.0)
eating, bolus_minutes, repeats = 5.0, 5.0, 9
states = len(model.states)


def the_day(them: VirtualPeople) -> list[Given]:
    """What everybody is given."""
    given = [Given(0.0, codes.insulin_basal, them.basal, np.inf)]
    for at, grams in meals:
        given.append(Given(at, codes.carbohydrate, grams, grams / eating))
        given.append(Given(at, codes.insulin_bolus, grams / them.ratio, bolus_minutes))
    return given


def timed(run: Callable[[], Any], times: int = repeats) -> dict[str, float]:
    """Best and median of repeated runs on the wall clock, and the least processor time."""
    walls, works = [], []
    for _ in range(times):
        wall, work = time.perf_counter(), time.process_time()
        run()
        walls.append(time.perf_counter() - wall)
        works.append(time.process_time() - work)
    return {"best_s": min(walls), "median_s": median(walls), "processor_s": min(works)}


def per_second(count: int, took: dict[str, float]) -> dict[str, float]:
    """Patient-days per second, on the wall clock and per second of one core's work."""
    return {
        "patient_days_per_s": count / took["best_s"],
        "median_patient_days_per_s": count / took["median_s"],
        "patient_days_per_core_second": count / took["processor_s"],
    }


def ours(
    which: Model[Any], them: VirtualPeople, dtype: Any, reference: np.ndarray | None
) -> dict[str, float]:
    """Our engine, and how far its readings are from the reference."""
    plan = schedule(which, the_day(them))

    def run() -> np.ndarray:
        return simulate(which, them.parameters, None, plan, readings, dtype=dtype).of(codes.glucose)

    shown = run()
    told = per_second(len(them), timed(run))
    if reference is not None:
        error = np.abs(shown / reference - 1).max(axis=0)
        told |= {"max_relative_error": float(error.max()), "people_checked": len(them)}
        told["p99_relative_error"] = float(np.quantile(error, 0.99))
    return told


def right_hand_side() -> Callable[..., np.ndarray]:
    """The model's drift as LSODA calls it, compiled from the same file, for one person."""
    made = compiled(model).module
    drift, worked_out, person = made.drift, made.worked_out, made.Person

    @njit
    def rate(t, y, told, u):  # noqa: ANN001, ANN202  numba knows the types
        p = person(*told)
        x = to_fixed_tuple(y, states)  # pyright: ignore[reportCallIssue]  numba adds the context
        return np.array(drift(t, x, u, p, worked_out(p)))

    return rate


def changes(them: VirtualPeople, k: int) -> list[tuple[float, int, float]]:
    """When which channel's rate changes for one person."""
    told = [(0.0, 1, float(them.basal[k]))]
    for at, grams in meals:
        dose = grams / float(them.ratio[k]) / bolus_minutes
        told += [(at, 0, dose), (at + bolus_minutes, 0, -dose)]
        told += [(at, 2, eating), (at + grams / eating, 2, -eating)]
    return sorted(told)


def lsoda_day(rate: Any, them: VirtualPeople, told: np.ndarray, k: int, rtol: float) -> np.ndarray:
    """One person's readings by LSODA, restarted wherever an input changes."""
    p = tuple(told[:, k])
    person = type1.Parameters(*p)
    x = np.array([float(s) for s in model.start(person)])
    plan, u, shown = changes(them, k), [0.0, 0.0, 0.0], [x[12] / person.Vg]
    stops = sorted({*(at for at, _, _ in plan), 0.0, 1440.0})
    for begin, end in pairwise(stops):
        for at, channel, change in plan:
            if at == begin:
                u[channel] += change
                if channel == 2 and change > 0:
                    x[13] = x[0] + x[1]
        grid = np.unique([begin, end, *readings[(readings > begin) & (readings < end)]])
        course = odeint(
            rate, x, grid, args=(p, tuple(u)), tfirst=True, rtol=rtol, atol=1e-8, mxstep=50_000
        )
        x = course[-1].copy()
        kept = np.isin(grid[1:], readings)
        shown.extend(course[1:][kept, 12] / person.Vg)
    return np.array(shown)


def lsoda(them: VirtualPeople) -> tuple[np.ndarray, dict[str, float]]:
    """Everybody's day by LSODA at 1e-9, and LSODA's speed at 1e-6."""
    rate, told = right_hand_side(), parameter_array(model, them.parameters)
    few = min(20, len(them))
    lsoda_day(rate, them, told, 0, 1e-6)
    took = timed(lambda: [lsoda_day(rate, them, told, k, 1e-6) for k in range(few)], 3)
    return (
        np.stack([lsoda_day(rate, them, told, k, 1e-9) for k in range(len(them))], axis=1),
        per_second(few, took),
    )


def as_ours(q: Any) -> tuple[type1.Parameters, list[float]]:
    """A simglucose patient in our words: parameters, and states at the start."""
    renamed = {
        "weight": q.BW,
        "fasting_glucose": q.Gpb / q.Vg,
        "fasting_production": q.EGPb,
        "fasting_insulin": q.Ib,
        "extraction": q.HEb,
    }
    p = type1.Parameters(**{n: renamed[n] if n in renamed else getattr(q, n) for n in names})
    x = [getattr(q, f"x0_{i}") for i in range(1, 14)]
    return p, [*x[:6], x[9], x[6] + q.Ib, x[7], x[8], x[10], x[11], x[12], 0.0]


def simglucose() -> dict[str, Any]:
    """Its own patients: our course against its equations, and its speed as it steps."""
    try:
        pd = import_module("pandas")
        its = import_module("simglucose.patient.t1dpatient")
    except ImportError:
        return {"left_out": "simglucose is not installed: evidence/requirements.lock"}
    table = pd.read_csv(its.PATIENT_PARA_FILE)
    worst = 0.0
    for _, row in table.iterrows():
        q = SimpleNamespace(**{str(k).replace(" ", ""): v for k, v in row.items()})
        worst = max(worst, _gap(q, its.T1DPatient.model, its.Action))
    patient = its.T1DPatient.withID(11)
    q = patient._params  # noqa: SLF001  the only door to its own table
    basal = q.u2ss * q.BW / 6000

    def stepped() -> None:
        patient.reset()
        for minute in range(1440):
            eaten = sum(g for at, g in meals if at == minute)
            dosed = sum(g / 10 / bolus_minutes for at, g in meals if 0 <= minute - at < 5)
            patient.step(its.Action(CHO=eaten, insulin=basal + dosed))

    told = per_second(1, timed(stepped, 2))
    return told | {"patients": len(table), "max_relative_difference_to_its_equations": worst}


def _gap(q: Any, equations: Any, action: Any) -> float:
    """The largest relative difference over a day with the same inputs, for one patient."""
    p, x0 = as_ours(q)
    basal = q.u2ss * q.BW / 6000
    given = [Given(0.0, codes.insulin_basal, 60 * basal, np.inf)]
    for at, grams in meals:
        given.append(Given(at, codes.carbohydrate, grams, grams / eating))
        given.append(Given(at, codes.insulin_bolus, grams / 15, bolus_minutes))
    own = simulate(model, p, x0, given, readings, step=0.05).of(codes.glucose)[:, 0]
    x = np.array([getattr(q, f"x0_{i}") for i in range(1, 14)])
    shown, stomach, begun = [x[12] / q.Vg], 0.0, -np.inf
    stops = sorted({0.0, 1440.0, *(t for a, g in meals for t in (a, a + 5, a + g / eating))})
    for begin, end in pairwise(stops):
        eats = any(a <= begin < a + g / eating for a, g in meals)
        if begin in (a for a, _ in meals):
            stomach, begun, meal = x[0] + x[1], begin, dict(meals)[begin]
        dosed = sum(g / 15 / bolus_minutes for a, g in meals if a <= begin < a + 5)
        now = action(CHO=eating if eats else 0.0, insulin=basal + dosed)

        def rate(t: float, y: Any, now: Any = now, stomach: float = stomach) -> Any:
            taken = 0.0 if begun < 0 else min(eating * (t - begun), meal)  # noqa: B023
            return equations(t, y, now, q, stomach, taken)

        grid = readings[(readings > begin) & (readings <= end)]
        ask = np.unique([*grid, end])
        done = solve_ivp(
            rate, (begin, end), x, "DOP853", t_eval=ask, rtol=1e-10, atol=1e-9, max_step=5
        )
        x = done.y[:, -1]
        shown.extend(done.y[12][np.isin(ask, grid)] / q.Vg)
    return float(np.abs(own / np.array(shown) - 1).max())


def c_parameters(them: VirtualPeople) -> dict[str, np.ndarray]:
    """Our people by the names that the C++ program reads."""
    p = them.parameters
    rest = np.asarray(type1.tissue_at_rest(p))
    plasma = p.fasting_glucose * p.Vg
    own = {
        "BW": p.weight,
        "kp1": p.fasting_production + p.kp2 * plasma + p.kp3 * p.fasting_insulin,
        "Vm0": (p.fasting_production - p.Fsnc) * (p.Km0 + rest) / rest,
        "m4": type1.m4(p),
        "m30": p.m1 * p.extraction / (1 - p.extraction),
        "Ib": p.fasting_insulin,
        "u2ss": type1.insulin_at_rest(p),
    }
    first = ("kmax", "kmin", "b", "d", "kabs", "f", "BW", "kp1", "kp2", "kp3", "Fsnc", "ke1")
    then = ("ke2", "k1", "k2", "Vm0", "Vmx", "Km0", "m1", "m2", "m4", "m30", "ka1", "ka2", "kd")
    ordered = (*first, *then, "Vi", "p2u", "Ib", "ki", "ksc", "u2ss", "Vg")
    return {n: np.asarray(own[n] if n in own else getattr(p, n)) for n in ordered}


def c_plus_plus(them: VirtualPeople) -> dict[str, Any]:
    """Hand-vectorised C++ on the same people: the limit of this machine."""
    shared = Path(os.environ.get("MEDTWIN_SHARED", Path(__file__).parents[2] / "shared"))
    source, compiler = shared / "bench" / "engine" / "rk4v.cpp", shutil.which("g++")
    if not source.exists() or compiler is None:
        return {"left_out": "needs g++ and MEDTWIN_SHARED/bench/engine/rk4v.cpp"}
    with tempfile.TemporaryDirectory() as place:
        library = Path(place) / "rk4v.so"
        flags = "-DVB=64 -O3 -march=native -mprefer-vector-width=512 -ffast-math -fopenmp"
        command = [compiler, *flags.split(), "-shared", "-fPIC", str(source), "-o", str(library)]
        subprocess.run(command, check=True, capture_output=True)
        loaded = ctypes.CDLL(str(library))
        return {
            kind: per_second(len(them), timed(_c_run(getattr(loaded, f), them, np.dtype(kind))))
            for kind, f in (("float32", "rk4_f"), ("float64", "rk4_d"))
        }


def _c_run(function: Any, them: VirtualPeople, kind: np.dtype[Any]) -> Callable[[], Any]:
    count = len(them)
    told = [np.broadcast_to(v, count) for v in c_parameters(them).values()]
    x = [np.broadcast_to(s, count) for s in model.start(them.parameters)]
    none = np.zeros(count)
    old = [*x[:6], none, x[8], x[9], x[6], x[10], x[11], x[12]]
    eaten, begun, dosed = np.zeros(1440), np.zeros(1440), np.zeros(1440)
    for at, grams in meals:
        eaten[int(at) : int(at + grams / eating)] = eating
        begun[int(at)] = 1
        dosed[int(at) : int(at) + 5] = grams / 5
    arrays = [np.ascontiguousarray(np.array(a), kind) for a in (told, old, them.ratio)]
    shown = np.zeros((288, count), kind)
    points = [a.ctypes.data_as(ctypes.c_void_p) for a in (*arrays, eaten, begun, dosed, shown)]

    def run(_: Any = (arrays, shown)) -> None:  # keeps alive what the points point at
        function(ctypes.c_long(count), 2, *points)

    return run


def ensemble_day(dtype: Any, members: int = 500) -> dict[str, float]:
    """A day of readings, 288 of them, into one person's ensemble."""
    rng = np.random.default_rng(0)
    one = people(1, rng)
    plan = the_day(one)
    truth = simulate(model, one.parameters, None, plan, readings).of(codes.glucose)[1:, 0]
    heard = truth + 10 * rng.standard_normal(len(truth))
    told = np.repeat(parameter_array(model, one.parameters), members, axis=1)
    learned = ["Vmx", "kp3", "kabs", "p2u", "ki"]
    for n in learned:
        told[names.index(n)] *= np.exp(0.3 * rng.standard_normal(members))
    x = np.stack(np.broadcast_arrays(*model.start(type1.Parameters(*told))))
    seen = Readings(codes.glucose, readings[1:], heard, np.full(len(truth), 10.0))
    still, events = np.zeros((3, members)), schedule(model, plan)

    def run() -> Any:
        return follow(model, x, told, still, 0.0, seen, events, learned, rng, dtype)

    done = run()
    error = float(np.sqrt(np.mean((done.forecast.mean(axis=1) - truth) ** 2)))
    return timed(run, 15) | {"members": members, "rmse_to_truth": error}


def carried(them: VirtualPeople, dtype: Any, truth: np.ndarray) -> dict[str, float]:
    """How far a course that `follow` carries through silent readings is from the reference."""
    told = np.broadcast_to(parameter_array(model, them.parameters), (len(names), len(them)))
    x = np.stack(np.broadcast_arrays(*model.start(them.parameters)))
    silent = np.full(len(readings) - 1, np.nan)
    seen = Readings(codes.glucose, readings[1:], silent, np.ones(len(silent)))
    still, rng = np.zeros((3, len(them))), np.random.default_rng(0)
    plan = schedule(model, the_day(them))
    shown = follow(model, x, told, still, 0.0, seen, plan, [], rng, dtype).forecast
    error = np.abs(shown / truth[1:] - 1).max(axis=0)
    return {"max_relative_error": float(error.max()), "people_checked": len(them)}


start_up = """
import numpy as np
from medtwin.physiology import type1
from medtwin.engine.simulate import simulate
print(simulate(type1.model, type1.Parameters(), None, [], [0.0, 1440.0]).shown[-1, 0, 0])
"""


def starts() -> dict[str, float]:
    """A fresh process's first simulated day: nothing compiled yet, and from the disk."""

    def fresh(home: str) -> float:
        told = {**os.environ, "MEDTWIN_HOME": home, "PYTHONPATH": str(Path(__file__).parents[1])}
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", start_up], env=told, check=True, capture_output=True)
        return time.perf_counter() - begin

    with tempfile.TemporaryDirectory() as home:
        cold = fresh(home)
        cached = [fresh(home) for _ in range(4)]
    return {"cold_s": cold, "cached_s": min(cached), "cached_median_s": median(cached)}


def fits() -> dict[str, float]:
    """Five parameters of one day and of a thousand people's days, and scipy's time for one."""
    one, many = timed_fits(1, 7), timed_fits(1000)
    return {
        "one_day_s": one.seconds,
        "one_day_by_scipy_s": by_scipy(),
        "thousand_people_s": many.seconds,
        "converged": many.converged,
        "standard_errors_off": many.off,
    }


def measured(count: int, *, reference: bool) -> dict[str, Any]:
    """Everything, in one run."""
    them = people(count, np.random.default_rng(2026))
    begin = os.getloadavg()[0]
    truth, by_lsoda = lsoda(them) if reference else (None, lsoda(them.only(slice(0, 20)))[1])
    told: dict[str, Any] = {
        "people": count,
        "processors": os.cpu_count(),
        "cpp": c_plus_plus(them),
        "engine_float32": ours(general, them, np.float32, truth),
        "structured_float32": ours(model, them, np.float32, truth),
        "engine_float64": ours(general, them, np.float64, truth),
        "structured_float64": ours(model, them, np.float64, truth),
        "lsoda": by_lsoda,
        "simglucose": simglucose(),
        "ensemble_day_float32": ensemble_day(np.float32),
        "ensemble_day_float64": ensemble_day(np.float64),
        "start": starts(),
        "fits": fits(),
    }
    if truth is not None:
        for kind in (np.float32, np.float64):
            told[f"ensemble_day_{kind.__name__}"] |= carried(them, kind, truth)
    told["load"] = {"before": begin, "after": os.getloadavg()[0]}
    told |= {"ratios": ratios(told)}
    return told | {"targets": targets(told)}


def targets(told: dict[str, Any]) -> list[dict[str, Any]]:
    """Each figure beside what it should be: reached, or by how much it is missed."""
    general_, structured = told["engine_float32"], told["structured_float32"]
    asked = [
        ("general engine, patient-days/s", general_["patient_days_per_s"], 100_000, True),
        ("with structure, patient-days/s", structured["patient_days_per_s"], 300_000, True),
        ("general engine over C++", told["ratios"].get("over_cpp"), 0.8, True),
        ("structure over C++", told["ratios"].get("structured_over_cpp"), 1.0, True),
        ("general, largest relative error", general_.get("max_relative_error"), 1e-4, False),
        ("structure, largest relative error", structured.get("max_relative_error"), 1e-4, False),
        ("500 members, a day, s", told["ensemble_day_float32"]["best_s"], 0.010, False),
        (
            *("followed, largest relative error",),
            *(told["ensemble_day_float32"].get("max_relative_error"), 1e-4, False),
        ),
        ("cached start, s", told["start"]["cached_s"], 1.0, False),
        ("five parameters of a day, s", told["fits"]["one_day_s"], 0.050, False),
        ("1,000 people fitted, s", told["fits"]["thousand_people_s"], 30.0, False),
    ]
    return [_judged(*row) for row in asked if row[1] is not None]


def _judged(name: str, ours_: float, target: float, more: bool) -> dict[str, Any]:
    reached = ours_ >= target if more else ours_ <= target
    missed = (
        ""
        if reached
        else f"{ours_ / target:.2f} of it"
        if more
        else f"{ours_ / target:.2f} times it"
    )
    return {"what": name, "ours": ours_, "target": target, "reached": reached, "missed": missed}


def ratios(told: dict[str, Any]) -> dict[str, float]:
    """Our engine (float32, best run) as a multiple of each peer."""
    own = told["engine_float32"]["patient_days_per_s"]
    peers = {
        "over_lsoda": told["lsoda"],
        "over_simglucose": told["simglucose"],
        "over_cpp": told["cpp"].get("float32", {}),
    }
    known = {n: q["patient_days_per_s"] for n, q in peers.items() if "patient_days_per_s" in q}
    structured = told["structured_float32"]["patient_days_per_s"]
    return {
        **{name: own / peer for name, peer in known.items()},
        **{f"structured_{name}": structured / peer for name, peer in known.items()},
        "structured_over_general": structured / own,
    }


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    asked.add_argument("--people", type=int, default=3000)
    asked.add_argument("--no-reference", action="store_true", help="skip LSODA on everybody")
    asked.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    given = asked.parse_args()
    told = measured(given.people, reference=not given.no_reference)
    if given.json:
        print(json.dumps(told, indent=1))
        return
    for part, figures in told.items():
        print(part, json.dumps(figures))


if __name__ == "__main__":
    main()
