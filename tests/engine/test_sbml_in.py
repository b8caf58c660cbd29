"""Files as BioModels keeps them, against libroadrunner on the same text."""

from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from medtwin.engine.mathml import Unsupported
from medtwin.engine.sbml_in import from_sbml
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate

chain = """
model chain()
  compartment body = 3;
  species A in body = 10, B in body, C in body;
  B = 0; C = 1;
  R1: A -> B; body*k1*A;
  R2: B -> 2 C; body*k2*B - body*k3*C^2;
  k1 = 0.7; k2 = 0.3; k3 = 0.01;
end
"""
cycle = """
function michaelis(s, v, k)
  v*s/(k + s)
end
model cycle()
  compartment cell = 2;
  substanceOnly species S in cell = 8;
  species P in cell;
  P = start/cell;
  const start = 3;
  Vmax = 3; Km = 0.5; kr = 0.2;
  J0: S -> P; michaelis(S, Vmax, Km);
  J1: P -> S; cell*kr*P;
  total := S + P*cell;
  pulse := (1 + sin(time)/2)*piecewise(1, P > 0.2 && P >= 0 || P < -1, 0.5);
  J2: -> P; 0.1*pulse;
  level = 4;
  level' = -0.1*level + ln(1 + P)/10;
  at (time >= 5.3): S = S + 2, Vmax = 2;
  at (time > 9): P = 1;
end
"""
# Elowitz & Leibler (2000), Nature 403:335, box 1, in their dimensionless form
repressilator = """
model repressilator()
  alpha = 216; alpha0 = 0.216; beta = 5; n = 2;
  m1 = 0; m2 = 0; m3 = 0; p1 = 5; p2 = 0; p3 = 15;
  m1' = -m1 + alpha/(1 + p3^n) + alpha0;
  m2' = -m2 + alpha/(1 + p1^n) + alpha0;
  m3' = -m3 + alpha/(1 + p2^n) + alpha0;
  p1' = -beta*(p1 - m1);
  p2' = -beta*(p2 - m2);
  p3' = -beta*(p3 - m3);
end
"""


def sbml(told):
    antimony = pytest.importorskip("antimony", reason="the extra medtwin[oracles] is not there")
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(told) >= 0, antimony.getLastError()
    return antimony.getSBMLString(antimony.getMainModuleName())


def course_of(text, names, until, points):
    """What libroadrunner says, at tight tolerances."""
    roadrunner = pytest.importorskip("roadrunner", reason="the extra medtwin[oracles] is missing")
    road = roadrunner.RoadRunner(text)
    road.integrator.absolute_tolerance = 1e-13
    road.integrator.relative_tolerance = 1e-12
    road.integrator.maximum_num_steps = 100_000
    return np.asarray(road.simulate(0, until, points, ["time", *names]))


@pytest.mark.parametrize(
    ("told", "names", "until"),
    [
        (chain, {"A": "[A]", "B": "[B]", "C": "[C]"}, 12.0),
        (cycle, {"S": "S", "P": "[P]", "total": "total", "pulse": "pulse", "level": "level"}, 12.0),
        (repressilator, {n: n for n in ("m1", "p1", "p2", "p3")}, 40.0),
    ],
    ids=["chain", "cycle", "repressilator"],
)
def test_a_file_runs_as_it_does_in_libroadrunner(told, names, until):
    text = sbml(told)
    read = from_sbml(text, until)
    expected = course_of(text, names.values(), until, 81)
    run = simulate(read.model, read.model.parameters(), None, read.events, expected[:, 0])
    shown = {c.name: run.of(c)[:, 0] for c in run.codes}
    for k, name in enumerate(names):
        size = np.abs(expected[:, k + 1]).max()
        np.testing.assert_allclose(shown[name], expected[:, k + 1], atol=1e-6 * size, rtol=1e-6)


published = Path(__file__).parents[1] / "vectors" / "sbml"


@pytest.mark.parametrize(
    ("number", "clock", "until"),
    [(3, "s", 100.0), (6, "s", 100.0), (12, "min", 600.0), (79, "wk", 60.0)],
    ids=["mitotic oscillator", "cell cycle", "repressilator", "weight cycling"],
)
def test_a_model_of_biomodels_runs_as_it_does_in_libroadrunner(number, clock, until):
    text = (published / f"BIOMD{number:010d}.xml").read_text()
    read = from_sbml(text, until)
    assert read.model.clock == clock
    species = {s.get("id"): s for s in ET.fromstring(text.encode()).iter() if "}species" in s.tag}
    amounts = {n for n, s in species.items() if s.get("hasOnlySubstanceUnits") == "true"}
    run = simulate(
        read.model, read.model.parameters(), None, read.events, np.linspace(0.0, until, 101)
    )
    names = [c.name for c in run.codes]
    told = [f"[{n}]" if n in species and n not in amounts else n for n in names]
    expected = course_of(text, told, until, 101)[:, 1:]
    assert len(names) > 2
    off = np.abs(run.shown[:, :, 0] - expected).max(axis=0)
    assert np.all(off <= 1e-6 * np.abs(expected).max(axis=0))


def test_a_species_that_a_reaction_leaves_as_it_is_stays():
    law = maths.format("<ci>B</ci>")
    part = '<speciesReference species="{}" stoichiometry="{}" constant="true"/>'
    text = (
        '<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1">'
        '<model id="m"><listOfCompartments><compartment id="c" size="1" constant="true"/>'
        '</listOfCompartments><listOfSpecies><species id="A" compartment="c" initialAmount="3"/>'
        '<species id="B" compartment="c" initialAmount="2"/></listOfSpecies><listOfReactions>'
        f'<reaction id="r"><listOfReactants>{part.format("A", 0)}{part.format("B", 1)}'
        f"</listOfReactants><kineticLaw>{law}</kineticLaw></reaction></listOfReactions></model></sbml>"
    )
    read = from_sbml(text, 1.0)
    run = simulate(read.model, read.model.parameters(), None, [], [0.0, 1.0])
    assert run.shown[1, :, 0] == pytest.approx([3.0, 2 * np.exp(-1)], rel=1e-7)


def test_a_species_can_be_given_and_a_number_changed():
    read = from_sbml(sbml(chain), 12.0)
    given = next(c for c in read.model.inputs if c.name == "A given")
    dose = simulate(
        read.model,
        read.model.parameters(A=0.0, C=0.0, k3=0.0),
        None,
        [Given(1.0, given, 30.0)],
        [0.0, 3.0],
    )
    assert dose.shown[1, 0, 0] == pytest.approx(30 / 3 * np.exp(-0.7 * 2), rel=1e-8)


def test_a_name_that_python_keeps_for_itself_is_only_written_differently():
    text = sbml(
        "model m()\n  t = 1; positive = 2; lambda = 1; x' = -positive*lambda*t*x; x = 3;\nend"
    )
    read = from_sbml(text, 1.0)
    run = simulate(read.model, read.model.parameters(), None, [], [0.0, 1.0])
    assert run.shown[1, 0, 0] == pytest.approx(3 * np.exp(-2), rel=1e-7)


head = (
    '<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1">'
    '<model id="m"><listOfParameters><parameter id="a" value="1" constant="false"/>'
    "</listOfParameters>{}</model></sbml>"
)
maths = '<math xmlns="http://www.w3.org/1998/Math/MathML">{}</math>'
rate = '<listOfRules><rateRule variable="a">' + maths + "</rateRule></listOfRules>"


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("<!DOCTYPE x [<!ENTITY e 'e'>]><sbml/>", "document type or entities"),
        ("<sbml level='3'", "not well-formed"),
        ("<sbml level='1'><model/></sbml>", "level 2 or 3 is read"),
        (
            head.format("").replace("<sbml ", '<sbml xmlns:fbc="f" fbc:required="true" '),
            "package f",
        ),
        (head.format(""), "nothing in the file changes"),
        (
            head.format("<listOfRules><algebraicRule>" + maths + "</algebraicRule></listOfRules>"),
            "algebraic rule; solve it",
        ),
        (
            head.format('<listOfReactions><reaction id="r" fast="true"/></listOfReactions>'),
            "fast reaction",
        ),
        (head.format('<listOfReactions><reaction id="r"/></listOfReactions>'), "no kinetic law"),
        (
            head.format(
                '<listOfReactions><reaction id="r"><kineticLaw>'
                + maths.format("<ci>k</ci>")
                + '<listOfLocalParameters><localParameter id="k"/></listOfLocalParameters>'
                "</kineticLaw></reaction></listOfReactions>"
            ),
            "no value for k of r",
        ),
        (head.format(rate.format("<ci>b</ci>")), "speaks of b"),
        (head.format(rate.format("<apply><arcsin/><ci>a</ci></apply>")), "function arcsin"),
        (
            head.format(
                rate.format(
                    "<apply><csymbol definitionURL='http://www.sbml.org/sbml/symbols/delay'/>"
                    "<ci>a</ci><cn>1</cn></apply>"
                )
            ),
            "delay is not possible",
        ),
        (
            head.format(
                rate.format("<cn>1</cn>")
                + '<listOfEvents><event id="e"><trigger>'
                + maths.format("<apply><gt/><ci>a</ci><cn>2</cn></apply>")
                + "</trigger></event></listOfEvents>"
            ),
            "waits for something other than a time",
        ),
        (
            head.format(rate.format("<cn>1</cn>")).replace(' value="1"', ""),
            "no value for a",
        ),
    ],
)
def test_what_cannot_be_held_is_refused_by_name(text, because):
    with pytest.raises(Unsupported, match=because):
        from_sbml(text, 1.0)


def test_a_file_too_stiff_for_steps_is_refused():
    stiff = head.format(rate.format("<apply><times/><cn>-1e9</cn><ci>a</ci></apply>"))
    with pytest.raises(Unsupported, match="too stiff"):
        from_sbml(stiff, 1.0)
