"""The heart, the vessels and the reflex that holds blood pressure, beat by beat.

Two ventricles with time-varying elastance, two passive atria, four valves; systemic arteries,
small vessels, veins of the gut and of the rest; pulmonary arteries, small vessels and veins.
The carotid baroreflex moves the heart's period (sympathetic and vagal), both contractilities,
both resistances and both venous unstressed volumes. Time in seconds; mmHg, mL, mL/s.

    active          phi = sin²(pi u T / Tsys) in systole, u the share of the beat
                    Tsys = 0.5 - 0.075 / T
    ventricle       Pmax = phi Emax (V - Vu) + (1 - phi) P0 (exp(kE V) - 1)
    ejection        F = (Pmax - Part) / (kR Pmax) while Pmax > Part, else 0
    filling         F = (Patrium - P) / R while Patrium > P, else 0
    baroreceptor    taup P~' = P + tauz P' - P~
                    fcs = (fmin + fmax e) / (1 + e), e = exp((P~ - Pn)/ka)
    sympathetic     fes = fes∞ + (fes0 - fes∞) exp(-kes fcs)
    vagal           fev = (fev0 + fev∞ e) / (1 + e), e = exp((fcs - fcs0)/kev)
    each effector   tau d' = G ln(fes(t - D) - fesmin + 1) - d;  value = value0 + d
    vagal effector  tau d' = G fev(t - D) - d;  T = T0 + dTs + dTv
    atrial reflex   e = 5 tanh((Pra - Pra,n) / 5);  resistance times 1 - 0.073 e,
                    unstressed volume + 66.7 e (gut) and + 43.5 e (rest), each behind its lag

Ursino (1998), Am J Physiol 275:H1733, Tables 1 to 3. The reflex from the right atrium (the
cardiopulmonary one), which that paper leaves out, is that of Heldt et al. (2002), J Appl Physiol
92:1239, with the gains of its program CVSim (-0.3 PRU/mmHg in beds of 4.1 PRU; 64, 30, 13.5 and
2.7 mL/mmHg), around this model's own rest; `atrial` 0 is Ursino's paper alone. Differences: pure
delays D are chains of first-order stages with the same mean; a person's size scales volumes,
compliances and flows together, so that pressures stay; what is lost or given leaves and enters the
veins of the rest of the body. Drugs are classes: each is a change in percent of what it acts on,
which takes hold with a time constant of `onset`.
Systolic, diastolic and mean pressure, stroke volume and ejection fraction are read out once a
beat by states that feel the waveform and act on nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from medtwin.engine.model import Model, fixed, varies
from medtwin.maths.functions import exp, floor, greatest, log, positive, sin, tanh, where
from medtwin.record import codes
from medtwin.record.codes import Code

vessels, heart, reflex = (f"Ursino 1998 Table {k}" for k in (1, 2, 3))
cvsim = "CVSim (Heldt 2002)"
spread = "spread between healthy adults: assumed"
pi = 3.141592653589793


@dataclass(frozen=True)
class Parameters:
    """One adult at rest, lying. Values of the paper for 5.3 L of blood."""

    blood_volume: Any = varies(
        5300.0, unit="mL", cv=0.12, low=3000.0, high=8500.0, source=f"{vessels}; {spread}"
    )
    filling: Any = varies(
        1.0, unit="1", cv=0.03, low=0.85, high=1.15, source=f"share of usual volume; {spread}"
    )
    stiffness: Any = varies(
        1.0, unit="1", cv=0.25, low=0.5, high=2.5, source=f"of the arteries; 1 is Csa of {vessels}"
    )
    tone: Any = varies(
        1.0, unit="1", cv=0.15, low=0.5, high=2.0, source=f"of resistance; 1 is {reflex}; {spread}"
    )
    strength: Any = varies(
        1.0, unit="1", cv=0.2, low=0.3, high=1.8, source=f"of both ventricles; 1 is {reflex}"
    )
    sensitivity: Any = varies(
        1.0, unit="1", cv=0.3, low=0.0, high=2.0, source="of the reflex; 1 is the paper's, 0 none"
    )
    set_point: Any = varies(
        92.0, unit="mm[Hg]", cv=0.08, low=70.0, high=130.0, source=f"Pn, {reflex}"
    )
    atrial: Any = varies(
        1.0, unit="1", cv=0.3, low=0.0, high=2.0, source=f"of the atrial reflex; 1 is {cvsim}"
    )
    period0: Any = varies(0.58, unit="s", cv=0.1, low=0.4, high=0.85, source=f"T0, {reflex}")
    onset: Any = varies(60.0, unit="s", cv=0.3, low=10.0, high=300.0, source="of a drug; assumed")

    Csa: Any = fixed(0.28, unit="mL/mm[Hg]", source=vessels)
    Csp: Any = fixed(2.05, unit="mL/mm[Hg]", source=vessels)
    Cep: Any = fixed(1.67, unit="mL/mm[Hg]", source=vessels)
    Csv: Any = fixed(61.11, unit="mL/mm[Hg]", source=vessels)
    Cev: Any = fixed(50.0, unit="mL/mm[Hg]", source=vessels)
    Cpa: Any = fixed(0.76, unit="mL/mm[Hg]", source=vessels)
    Cpp: Any = fixed(5.80, unit="mL/mm[Hg]", source=vessels)
    Cpv: Any = fixed(25.37, unit="mL/mm[Hg]", source=vessels)
    Vusp: Any = fixed(274.4, unit="mL", source=vessels)
    Vuep: Any = fixed(336.6, unit="mL", source=vessels)
    Vupp: Any = fixed(123.0, unit="mL", source=vessels)
    Vupv: Any = fixed(120.0, unit="mL", source=vessels)
    Rsa: Any = fixed(0.06, unit="mm[Hg].s/mL", source=vessels)
    Rsv: Any = fixed(0.038, unit="mm[Hg].s/mL", source=vessels)
    Rev: Any = fixed(0.016, unit="mm[Hg].s/mL", source=vessels)
    Rpa: Any = fixed(0.023, unit="mm[Hg].s/mL", source=vessels)
    Rpp: Any = fixed(0.0894, unit="mm[Hg].s/mL", source=vessels)
    Rpv: Any = fixed(0.0056, unit="mm[Hg].s/mL", source=vessels)
    Lsa: Any = fixed(0.22e-3, unit="mm[Hg].s2/mL", source=vessels)
    Lpa: Any = fixed(0.18e-3, unit="mm[Hg].s2/mL", source=vessels)
    Cla: Any = fixed(19.23, unit="mL/mm[Hg]", source=heart)
    Cra: Any = fixed(31.25, unit="mL/mm[Hg]", source=heart)
    Vua: Any = fixed(25.0, unit="mL", source=f"each atrium, {heart}")
    Ra: Any = fixed(2.5e-3, unit="mm[Hg].s/mL", source=f"mitral and tricuspid, {heart}")
    P0: Any = fixed(1.5, unit="mm[Hg]", source=f"both ventricles, {heart}")
    kElv: Any = fixed(0.014, unit="/mL", source=heart)
    kErv: Any = fixed(0.011, unit="/mL", source=heart)
    Vulv: Any = fixed(16.77, unit="mL", source=heart)
    Vurv: Any = fixed(40.8, unit="mL", source=heart)
    kRlv: Any = fixed(3.75e-4, unit="s/mL", source=heart)
    kRrv: Any = fixed(1.4e-3, unit="s/mL", source=heart)
    ksys: Any = fixed(0.075, unit="s2", source=heart)
    Tsys0: Any = fixed(0.5, unit="s", source=heart)
    ka: Any = fixed(11.758, unit="mm[Hg]", source=reflex)
    fmin: Any = fixed(2.52, unit="/s", source=reflex)
    fmax: Any = fixed(47.78, unit="/s", source=reflex)
    tauz: Any = fixed(6.37, unit="s", source=reflex)
    taup: Any = fixed(2.076, unit="s", source=reflex)
    fesinf: Any = fixed(2.10, unit="/s", source=reflex)
    fes0: Any = fixed(16.11, unit="/s", source=reflex)
    fesmin: Any = fixed(2.66, unit="/s", source=reflex)
    kes: Any = fixed(0.0675, unit="s", source=reflex)
    fev0: Any = fixed(3.2, unit="/s", source=reflex)
    fevinf: Any = fixed(6.3, unit="/s", source=reflex)
    fcs0: Any = fixed(25.0, unit="/s", source=reflex)
    kev: Any = fixed(7.06, unit="/s", source=reflex)
    Emaxlv0: Any = fixed(2.392, unit="mm[Hg]/mL", source=reflex)
    Emaxrv0: Any = fixed(1.412, unit="mm[Hg]/mL", source=reflex)
    Rsp0: Any = fixed(2.49, unit="mm[Hg].s/mL", source=reflex)
    Rep0: Any = fixed(0.78, unit="mm[Hg].s/mL", source=reflex)
    Vusv0: Any = fixed(1435.4, unit="mL", source=reflex)
    Vuev0: Any = fixed(1537.0, unit="mL", source=reflex)
    GEmaxlv: Any = fixed(0.475, unit="mm[Hg]/mL", source=reflex)
    GEmaxrv: Any = fixed(0.282, unit="mm[Hg]/mL", source=reflex)
    GRsp: Any = fixed(0.695, unit="mm[Hg].s/mL", source=reflex)
    GRep: Any = fixed(0.53, unit="mm[Hg].s/mL", source=reflex)
    GVusv: Any = fixed(-265.4, unit="mL", source=reflex)
    GVuev: Any = fixed(-132.5, unit="mL", source=reflex)
    GTs: Any = fixed(-0.13, unit="s", source=reflex)
    GTv: Any = fixed(0.09, unit="s2", source=reflex)
    atrial_set: Any = fixed(5.0, unit="mm[Hg]", source="this model's rest")
    GRa: Any = fixed(-0.073, unit="/mm[Hg]", source=cvsim)
    GVga: Any = fixed(66.7, unit="mL/mm[Hg]", source=f"gut and kidney, {cvsim}")
    GVra: Any = fixed(43.5, unit="mL/mm[Hg]", source=f"the rest, {cvsim}")


resting_drive = 1.18  # ln(fes - fesmin + 1) where Tables 1 and 2 and Table 3 meet
resting_vagal = 4.62  # fev there


def size(p: Any) -> Any:
    """A person's volumes and flows in those of the paper's."""
    return p.blood_volume / 5300.0


def start(p: Any) -> tuple[Any, ...]:
    """Near rest, at the start of a beat; half a minute later the beats repeat."""
    s = size(p)
    none = 0.0 * (p.blood_volume + p.filling + p.stiffness + p.tone + p.strength + p.sensitivity)
    arteries, small, right, left = 85.0 + none, 75.0 + none, 4.5 + none, 6.5 + none
    lung_artery, lung, lung_vein = 15.0 + none, 12.0 + none, 7.0 + none
    flow, left_heart, right_heart = 80.0 * s + none, 125.0 * s + none, 140.0 * s + none
    rest_veins = (1375.0 + 50.0 * 5.3) * s + none
    elsewhere = rest_veins + left_heart + right_heart
    elsewhere += s * (p.Csa / p.stiffness * arteries + p.Vusp + p.Vuep + (p.Csp + p.Cep) * small)
    elsewhere += s * (2.0 * p.Vua + p.Cra * right + p.Cla * left + p.Vupp + p.Vupv)
    elsewhere += s * (p.Cpa * lung_artery + p.Cpp * lung + p.Cpv * lung_vein)
    gut_veins = p.blood_volume * p.filling - elsewhere
    drive, vagal = 4.92 + none, resting_vagal + none
    return (
        *(arteries, flow, small, gut_veins, rest_veins, right, right_heart),
        *(lung_artery, flow, lung, lung_vein, left, left_heart, none),
        *(90.0 + none, drive, drive, drive, drive, drive, vagal, vagal),
        *(resting_drive + none, resting_drive + none, resting_drive + none),
        *(resting_drive + none, resting_vagal + none),
        *(none, none, none, none),
        *(arteries, arteries, arteries, arteries, right, left_heart, 0.4 * left_heart),
        *(none, none),
    )


def period(rate_drive: Any, vagal: Any, p: Any) -> Any:
    """The time between beats (s): the sympathetic shortens it, the vagus lengthens it."""
    return p.period0 + p.GTs * rate_drive + p.GTv * vagal


def driven(outflow: Any, p: Any) -> Any:
    """What sympathetic outflow asks of an effector; a weak reflex stays near its rest."""
    asked = log(positive(outflow - p.fesmin) + 1.0)
    return resting_drive + p.sensitivity * (asked - resting_drive)


def active(beat: Any, between_beats: Any, p: Any) -> Any:
    """How far a ventricle is from slack (0) to fully contracted (1)."""
    share = systole(between_beats, p)
    wave = sin(pi * beat / share)
    return where(beat < share, wave * wave, 0.0)


def systole(between_beats: Any, p: Any) -> Any:
    """The share of a beat that is systole; less of the time, more of the beat, when fast."""
    return (p.Tsys0 - p.ksys / between_beats) / between_beats


def drift(t: Any, x: tuple[Any, ...], u: tuple[Any, ...], p: Any) -> tuple[Any, ...]:
    """How fast everything changes (per second)."""
    arteries, flow, small, gut_veins, rest_veins, right, right_heart = x[:7]
    lung_artery, lung_flow, lung, lung_vein, left, left_heart, beats = x[7:14]
    felt, out1, out2, out3, out4, out5, vagal1, vagal2 = x[14:22]
    contractility, resistance, capacity, rate_drive, vagal = x[22:27]
    constricted, stronger, faster, dilated = x[27:31]
    peak, top, bottom, mean, right_mean, filled, emptied = x[31:38]
    atrial_soon, atrial_late = x[38:40]
    bleeding, fluid, constrictor, inotrope, chronotrope, dilator = u

    s = size(p)
    between_beats = greatest(period(rate_drive, vagal, p) / (1.0 + faster), 0.3)
    beat = beats - floor(beats)
    share = systole(between_beats, p)
    squeeze = active(beat, between_beats, p)

    force = p.strength * (1.0 + stronger) / s
    left_max = (p.Emaxlv0 + p.GEmaxlv * contractility) * force
    right_max = (p.Emaxrv0 + p.GEmaxrv * contractility) * force
    slack = p.P0 * (exp(p.kElv / s * left_heart) - 1.0)
    left_pressure = squeeze * left_max * (left_heart - p.Vulv * s) + (1.0 - squeeze) * slack
    right_slack = p.P0 * (exp(p.kErv / s * right_heart) - 1.0)
    right_pressure = squeeze * right_max * (right_heart - p.Vurv * s) + (
        (1.0 - squeeze) * right_slack
    )
    ejected = positive(left_pressure - arteries) / (p.kRlv / s * greatest(left_pressure, 2.0))
    lung_ejected = positive(right_pressure - lung_artery) / (
        p.kRrv / s * greatest(right_pressure, 2.0)
    )
    mitral = positive(left - left_pressure) / (p.Ra / s)
    tricuspid = positive(right - right_pressure) / (p.Ra / s)

    narrowing = p.tone * (1.0 + constricted) * (1.0 + p.GRa * atrial_soon) / s
    through_gut = (p.Rsp0 + p.GRsp * resistance) * narrowing
    through_rest = (p.Rep0 + p.GRep * resistance) * narrowing
    gut_unstressed = p.Vusv0 + p.GVusv * capacity + p.GVga * atrial_late
    rest_unstressed = p.Vuev0 + p.GVuev * capacity + p.GVra * atrial_late
    gut_unstressed, rest_unstressed = (
        gut_unstressed * (1.0 + dilated) * s,
        rest_unstressed * (1.0 + dilated) * s,
    )
    gut_pressure = (gut_veins - gut_unstressed) / (p.Csv * s)
    rest_pressure = (rest_veins - rest_unstressed) / (p.Cev * s)
    to_gut, to_rest = (small - gut_pressure) / through_gut, (small - rest_pressure) / through_rest
    from_gut, from_rest = (
        (gut_pressure - right) / (p.Rsv / s),
        (rest_pressure - right) / (p.Rev / s),
    )
    to_lung_vein = (lung - lung_vein) / (p.Rpp / s)
    to_left = (lung_vein - left) / (p.Rpv / s)

    artery_rate = (ejected - flow) / (p.Csa * s / p.stiffness)
    e = exp((felt - p.set_point) / p.ka)
    firing = (p.fmin + p.fmax * e) / (1.0 + e)
    outflow = p.fesinf + (p.fes0 - p.fesinf) * exp(-p.kes * firing)
    v = exp((firing - p.fcs0) / p.kev)
    asked_vagal = resting_vagal + p.sensitivity * (
        (p.fev0 + p.fevinf * v) / (1.0 + v) - resting_vagal
    )
    soon, late = driven(out2, p), driven(out5, p)
    filled_less = p.atrial * 5.0 * tanh((right_mean - p.atrial_set) / 5.0)

    closed = where(ejected + mitral > 0.0, 0.0, 1.0)
    early = where(beat < 0.5 * share, closed, 0.0)
    read = where(beat > share, where(beat < share + 0.1, 60.0, 0.0), 0.0)
    again = where(beat > share + 0.1, 1.0, 0.0)
    return (
        artery_rate,
        (arteries - small - p.Rsa / s * flow) / (p.Lsa / s),
        (flow - to_gut - to_rest) / ((p.Csp + p.Cep) * s),
        to_gut - from_gut,
        to_rest - from_rest - bleeding + fluid,
        (from_gut + from_rest - tricuspid) / (p.Cra * s),
        tricuspid - lung_ejected,
        (lung_ejected - lung_flow) / (p.Cpa * s),
        (lung_artery - lung - p.Rpa / s * lung_flow) / (p.Lpa / s),
        (lung_flow - to_lung_vein) / (p.Cpp * s),
        (to_lung_vein - to_left) / (p.Cpv * s),
        (to_left - mitral) / (p.Cla * s),
        mitral - ejected,
        1.0 / between_beats,
        (arteries + p.tauz * artery_rate - felt) / p.taup,
        outflow - out1,  # one second each: two of them are D = 2 s, five D = 5 s
        out1 - out2,
        out2 - out3,
        out3 - out4,
        out4 - out5,
        (asked_vagal - vagal1) / 0.1,  # D = 0.2 s
        (vagal1 - vagal2) / 0.1,
        (soon - contractility) / 8.0,
        (soon - resistance) / 6.0,
        (late - capacity) / 20.0,
        (soon - rate_drive) / 2.0,
        (vagal2 - vagal) / 1.5,
        (0.01 * constrictor - constricted) / p.onset,
        (0.01 * inotrope - stronger) / p.onset,
        (0.01 * chronotrope - faster) / p.onset,
        (0.01 * dilator - dilated) / p.onset,
        200.0 * (positive(arteries - peak) - again * positive(peak - arteries)),
        read * (peak - top),
        200.0 * early * (arteries - bottom),
        (arteries - mean) / 5.0,
        (right - right_mean) / 5.0,
        200.0 * early * (left_heart - filled),
        200.0 * closed * where(beat > 0.5 * share, 1.0, 0.0) * (left_heart - emptied),
        (filled_less - atrial_soon) / 6.0,
        (filled_less - atrial_late) / 20.0,
    )


def take(x: tuple[Any, ...], code: Code, amount: Any, p: Any) -> tuple[Any, ...]:
    """Nothing happens at once: blood is lost, and fluid and drugs are given, over a time."""
    return x


def observe(x: tuple[Any, ...], p: Any) -> Mapping[Code, Any]:
    """What a monitor shows: pressures of the last beat, and what the heart pumps."""
    rate_drive, vagal, faster = x[25], x[26], x[29]
    top, bottom, mean, right_mean, filled, emptied = x[32:38]
    rate = 60.0 / greatest(period(rate_drive, vagal, p) / (1.0 + faster), 0.3)
    stroke = filled - emptied
    return {
        codes.arterial: x[0],
        codes.systolic: top,
        codes.diastolic: bottom,
        codes.mean_arterial: mean,
        codes.central_venous: right_mean,
        codes.heart_rate: rate,
        codes.stroke_volume: stroke,
        codes.cardiac_output: 0.001 * stroke * rate,
        codes.ejection_fraction: 100.0 * stroke / filled,
    }


model = Model(
    name="circulation (Ursino)",
    reference="Ursino 1998, Am J Physiol 275:H1733",
    states=(
        *("arterial pressure", "arterial flow", "small vessel pressure", "gut veins"),
        *("other veins", "right atrial pressure", "right ventricle", "lung artery pressure"),
        *("lung flow", "lung pressure", "lung vein pressure", "left atrial pressure"),
        *("left ventricle", "beats", "felt pressure", "outflow 1", "outflow 2", "outflow 3"),
        *("outflow 4", "outflow 5", "vagal 1", "vagal 2", "drive of contractility"),
        *("drive of resistance", "drive of veins", "drive of rate", "vagal tone"),
        *("constricted", "stronger", "faster", "dilated", "running peak", "systolic"),
        *("diastolic", "mean pressure", "mean right atrial", "end-diastolic", "end-systolic"),
        *("atrial on resistance", "atrial on veins"),
    ),
    units=(
        *("mm[Hg]", "mL/s", "mm[Hg]", "mL", "mL", "mm[Hg]", "mL", "mm[Hg]", "mL/s", "mm[Hg]"),
        *("mm[Hg]", "mm[Hg]", "mL", "1", "mm[Hg]", "/s", "/s", "/s", "/s", "/s", "/s", "/s"),
        *("1", "1", "1", "1", "/s", "1", "1", "1", "1", "mm[Hg]", "mm[Hg]", "mm[Hg]"),
        *("mm[Hg]", "mm[Hg]", "mL", "mL", "mm[Hg]", "mm[Hg]"),
    ),
    parameters=Parameters,
    inputs=(),
    channels=(
        *(codes.blood_lost, codes.fluid_given, codes.vasoconstrictor),
        *(codes.inotrope, codes.chronotrope, codes.venodilator),
    ),
    start=start,
    drift=drift,
    take=take,
    observe=observe,
    step=0.002,
    clock="s",
    trust="minutes, lying, breathing not felt: no hormones, no kidney, no shift of tissue fluid",
)
