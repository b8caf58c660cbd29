"""The circulation against Ursino's tables, and against men who gave a litre of blood."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import least_squares

from evidence.models.line import Line
from medtwin.engine.model import sample
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.physiology import circulation
from medtwin.record import codes

model, adult = circulation.model, circulation.Parameters()
name = "circulation"
basal = {
    "Rsp": (3.307, "resistance"),
    "Rep": (1.407, "resistance"),
    "Vusv": (1121.0, "veins"),
    "Vuev": (1375.0, "veins"),
    "Emaxlv": (2.95, "contractility"),
    "Emaxrv": (1.75, "contractility"),
}


def lines(shared: Path) -> Iterator[Line]:
    """Rest, haemorrhage, and the step."""
    rest = simulate(model, adult, None, [], [0.0, 240.0])
    yield settled(rest.states[:, 0])
    for code, low, high in (
        (codes.heart_rate, 60.0, 80.0),
        (codes.mean_arterial, 85.0, 105.0),
        (codes.cardiac_output, 4.5, 6.0),
        (codes.ejection_fraction, 55.0, 70.0),
        (codes.central_venous, 2.0, 8.0),
    ):
        value = float(rest.of(code)[1, 0])
        yield Line(
            *(name, f"{code.name} at rest", value, code.unit, "middle of the healthy range"),
            *((low + high) / 2, f"{low:g} to {high:g}", low < value < high),
        )
    yield from litre()
    yield which_effector()
    yield from crowd()


def settled(x: Any) -> Line:
    """How far the closed loop's rest is from the basal values of Tables 1 and 2."""
    found = {
        n: getattr(adult, f"{n}0")
        + getattr(adult, f"G{n}") * x[model.states.index(f"drive of {which}")]
        for n, (_, which) in basal.items()
    }
    worst = max(abs(found[n] / value - 1.0) for n, (value, _) in basal.items())
    return Line(
        *(name, "six effectors at rest, largest difference from the basal values", 100 * worst),
        *("%", "Ursino 1998 Tables 1 and 2", 0.0, "at most 5 %", worst < 0.05),
        note="Table 3 states the reflex; that the loop returns to Tables 1 and 2 is its test",
    )


def litre() -> Iterator[Line]:
    """A litre over 20 min: rest is made that of the men who gave one, the response is foretold."""
    before = (codes.mean_arterial, 89.5), (codes.heart_rate, 59.0), (codes.central_venous, 5.8)
    them = rested([code for code, _ in before], np.array([value for _, value in before]))
    loss = [Given(120.0, codes.blood_lost, 1000.0, 1200.0)]
    looks = [0.0, *np.arange(90.0, 120.0, 3.0), *np.arange(1400.0, 1430.0, 3.0)]
    bare = replace(them, atrial=0.0)
    runs = [simulate(model, p, None, loss, looks) for p in (them, adult, bare)]
    for (code, rest), after, near in zip(before, (80.8, 66.0, 1.1), (5.0, 5.0, 2.0), strict=True):
        change, typical, alone = (
            float(r.of(code)[11:].mean() - r.of(code)[1:11].mean()) for r in runs
        )
        yield Line(
            *(name, f"{code.name}, change after a litre lost", change, code.unit),
            *("measured in 6 men (Johnson 2013)", after - rest, f"within {near:g}"),
            abs(change - (after - rest)) <= near,
            note=f"set point, rate and filling fitted to their rest (typical adult {typical:.1f}); "
            f"with the baroreflex alone, as Ursino 1998 has it, {alone:.1f}; there is no hormone "
            f"and no fluid from tissue in the model",
        )


def rested(shown: list[Any], wanted: Any) -> Any:
    """The adult whose set point, own rate and filling give this mean rest."""
    looks = [0.0, *np.arange(150.0, 181.0, 3.0)]

    def someone(z: Any) -> Any:
        return replace(
            adult,
            set_point=adult.set_point * np.exp(z[0]),
            period0=adult.period0 * np.exp(z[1]),
            filling=np.exp(z[2]),
        )

    def off(z: Any) -> Any:
        run = simulate(model, someone(z), None, [], looks)
        return (np.array([run.of(code)[1:].mean() for code in shown]) - wanted) / wanted

    return someone(least_squares(off, [-0.2, 0.1, 0.02], diff_step=1e-2, max_nfev=8).x)


def which_effector() -> Line:
    """10 % of the blood lost at once, each effector of Ursino's paper held at rest in turn."""
    adult = replace(circulation.Parameters(), atrial=0.0)
    rest = simulate(model, adult, None, [], [0.0, 240.0]).states[:, 0]
    drop = {"all": fall(adult)}
    for effector, (gains, drive) in {
        "venous unstressed volume": (("Vusv", "Vuev"), "drive of veins"),
        "resistance": (("Rsp", "Rep"), "drive of resistance"),
        "contractility": (("Emaxlv", "Emaxrv"), "drive of contractility"),
    }.items():
        drop[effector] = fall(held(adult, gains, rest[model.states.index(drive)]))
    still = rest[model.states.index("vagal tone")], rest[model.states.index("drive of rate")]
    period = adult.period0 + adult.GTs * still[1] + adult.GTv * still[0]
    drop["heart rate"] = fall(replace(adult, GTs=0.0, GTv=0.0, period0=period))
    most = max(drop, key=lambda k: drop[k])
    told = ", ".join(f"{k} {v:.1f}" for k, v in drop.items())
    return Line(
        *(name, "10 % of blood lost: extra fall without venous control", drop[most] - drop["all"]),
        *("mm[Hg]", "with every effector", 0.0, "veins matter most in the first minute (abstract)"),
        most == "venous unstressed volume",
        note=f"fall of mean pressure, held at rest in turn: {told}",
    )


def held(adult: Any, gains: tuple[str, ...], drive: float) -> Any:
    """The adult whose effectors stay where they are at rest."""
    told = {f"{g}0": getattr(adult, f"{g}0") + getattr(adult, f"G{g}") * drive for g in gains}
    return replace(adult, **told, **{f"G{g}": 0.0 for g in gains})


def fall(p: Any) -> float:
    """How far mean pressure falls one minute after 530 mL lost in five seconds."""
    lost = [Given(240.0, codes.blood_lost, 530.0, 5.0)]
    told = simulate(model, p, None, lost, [0.0, 240.0, 305.0]).of(codes.mean_arterial)[:, 0]
    return float(told[1] - told[2])


def crowd() -> Iterator[Line]:
    """3,000 people who bleed under random drugs: finite, and the step proved on 32 of them."""
    rng = np.random.default_rng(0)
    for people, claim in ((3000, "finite"), (32, "step")):
        p = sample(circulation.Parameters, people, rng)
        plan = [
            Given(20.0, codes.blood_lost, rng.uniform(0, 0.23, people) * p.blood_volume, 20.0),
            Given(20.0, codes.vasoconstrictor, rng.uniform(-40, 60, people), 40.0),
            Given(20.0, codes.inotrope, rng.uniform(-40, 60, people), 40.0),
            Given(20.0, codes.chronotrope, rng.uniform(-30, 40, people), 40.0),
            Given(20.0, codes.venodilator, rng.uniform(0, 5, people), 40.0),
        ]
        run = simulate(model, p, None, plan, [0.0, 20.0, 60.0])
        if claim == "finite":
            healthy = float(np.mean(np.all(np.isfinite(run.states), axis=0)))
            yield Line(
                *(name, "3,000 perturbed people bleed up to 23 % under drugs, share finite"),
                *(healthy, "1", "all", 1.0, "all", healthy == 1.0),
            )
            continue
        fine = simulate(model, p, None, plan, [0.0, 20.0, 60.0], step=0.00025)
        off = np.abs(run.of(codes.arterial) - fine.of(codes.arterial)).max()
        yield Line(
            *(name, "steps of 2 ms, largest difference of pressure from 0.25 ms", float(off)),
            *("mm[Hg]", "steps of 0.25 ms", 0.0, "at most 0.1", bool(off < 0.1)),
        )
