"""Populations: R's nlme on theophylline, quadrature, and the truth behind generated cohorts."""

import csv
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.physiology import pk_one
from medtwin.record import codes
from medtwin.twin.cohort import Person, Untold
from medtwin.twin.map_fit import Error, individual
from medtwin.twin.population import Power, Share, Structure, TooFew, prior, read, written
from medtwin.twin.population_focei import Search, focei
from medtwin.twin.population_linear import linearised
from medtwin.twin.population_saem import log_likelihood, saem
from medtwin.twin.population_task import Parts, Task

sys.path.insert(0, str(Path(__file__).parent))
import theophylline

level = codes.drug_level
truth = {"clearance": 3.0, "volume": 30.0, "ka": 1.2}
sds = {"clearance": 0.3, "volume": 0.2, "ka": 0.4}


def generated(n, seed, error=0.15):
    """A cohort with a known truth: clearance goes with creatinine and a genotype."""
    rng = np.random.default_rng(seed)
    hours = np.array([0.5, 1.0, 2.0, 4.0, 8.0, 12.0, 24.0])
    z = rng.standard_normal((3, n)) * np.array(list(sds.values()))[:, None]
    weight, creatinine = rng.uniform(50, 95, n), rng.uniform(0.5, 2.0, n)
    slow = (rng.random(n) < 0.4).astype(float)
    lean = np.exp(-0.6 * np.log(creatinine) - 0.5 * slow)
    p = replace(
        pk_one.Parameters(),
        clearance=3.0 * lean * np.exp(z[0]),
        volume=30.0 * np.exp(z[1]),
        ka=1.2 * np.exp(z[2]),
        weight=weight,
    )
    dose = Given(0.0, codes.drug_swallowed, 300.0)
    seen = simulate(pk_one.model, p, None, [dose], np.append(0.0, hours)).of(level)[1:]
    seen = seen * (1 + error * rng.standard_normal(seen.shape))
    return [
        Person(
            f"p{i}",
            (dose,),
            {level: (hours, seen[:, i])},
            {"weight": weight[i]},
            traits={"creatinine": creatinine[i], "slow": slow[i]},
        )
        for i in range(n)
    ]


asked = Structure(
    typical={"clearance": 2.5, "volume": 35.0, "ka": 1.0},
    differs={"clearance": 0.4, "volume": 0.4, "ka": 0.4},
    effects=(Power("clearance", "creatinine", 1.0), Share("clearance", "slow")),
    error={level: Error(0.0, 0.2)},
)


def near_the_truth(population, widths=3.0):
    sought = {n: np.log(v) for n, v in truth.items()}
    found = {n: np.log(v) for n, v in population.typical.items()}
    for name in truth:
        assert abs(found[name] - sought[name]) < widths * population.errors[name], name
        spread = population.spread[list(sds).index(name), list(sds).index(name)]
        off = np.log(np.sqrt(spread) / sds[name])
        assert abs(off) < widths * population.errors[f"spread of {name}"], name
    for effect, size in zip(population.effects, (-0.6, -0.5), strict=True):
        width = population.errors[f"{effect.covariate} on clearance"]
        assert abs(effect.size - size) < widths * width, effect
    off = np.log(population.error["drug_level"].proportional / 0.15)
    assert abs(off) < widths * population.errors["proportional error of drug_level"]


@pytest.fixture(scope="module")
def cohort():
    return generated(32, 5)


@pytest.fixture(scope="module")
def by_focei(cohort):
    return focei(pk_one.model, cohort, asked, "generated")


@pytest.fixture(scope="module")
def by_saem(cohort):
    return saem(pk_one.model, cohort, asked, np.random.default_rng(7), "generated")


def test_theophylline_comes_out_as_in_nlme(shared, vectors):
    rows = csv.DictReader((vectors / "trials/nlme_reference.csv").read_text().splitlines())
    told = {r["par"]: float(r["value"]) for r in rows}
    ours = linearised(pk_one.model, theophylline.people(shared), theophylline.structure, "Theoph")
    cl, v, ka = (np.log(ours.typical[n]) for n in ("clearance", "volume", "ka"))
    spread = np.sqrt(np.diag(ours.spread))
    correlation = ours.spread[0, 1] / spread.prod()
    assert ours.converged, ours.because
    # nlme widens the standard errors of a maximum likelihood fit by N / (N - p)
    wider = np.sqrt(ours.readings / (ours.readings - 3))
    for name, value in {
        "lKe": cl - v,
        "lKa": ka,
        "lCl": cl - np.log(70.0),
        "se_lKa": ours.errors["ka"] * wider,
        "se_lCl": ours.errors["clearance"] * wider,
        "sd_lKa": spread[0],
        "sd_lCl": spread[1],
        "corr": correlation,
        "sd_resid": ours.error["drug_level"].additive,
    }.items():
        assert value == pytest.approx(told[name], abs=1e-3), name
    assert -ours.objective / 2 == pytest.approx(told["logLik"], abs=2e-3)


def test_focei_finds_the_truth_behind_a_generated_cohort(by_focei):
    assert by_focei.converged, by_focei.because
    near_the_truth(by_focei)


def test_saem_finds_the_truth_behind_a_generated_cohort(by_saem):
    assert by_saem.converged, by_saem.because
    near_the_truth(by_saem)


def test_focei_and_saem_agree_within_their_standard_error(by_focei, by_saem):
    for name in truth:
        off = np.log(by_focei.typical[name] / by_saem.typical[name])
        assert abs(off) < by_focei.errors[name], name


def test_what_saem_finds_is_likelier_than_what_focei_finds(cohort, by_focei, by_saem):
    # FOCEI climbs an approximation, SAEM the likelihood itself; both are judged by the latter
    task = Task(pk_one.model, tuple(cohort), asked)
    heights = []
    for found in (by_focei, by_saem):
        place = np.log([found.typical[n] for n in truth])
        sizes = np.array([e.size for e in found.effects])
        parts = Parts(place, sizes, found.spread, {level: found.error["drug_level"]})
        rng = np.random.default_rng(3)
        heights.append(log_likelihood(task, parts, Search(task), rng))
    assert heights[1] > heights[0] - 0.1


def test_the_likelihood_is_what_quadrature_gives():
    # one difference (clearance), two bolus levels with an additive error: integrate it by hand
    people = generated(6, 9)
    structure = Structure({"clearance": 3.0}, {"clearance": 0.3}, {level: Error(0.5)})
    task = Task(pk_one.model, tuple(people), structure)
    search, vector = Search(task), task.start()
    ours = log_likelihood(task, task.parts(vector), search, np.random.default_rng(0))
    b = np.linspace(-2.4, 2.4, 4001)
    by_hand = 0.0
    for person in people:
        hours, levels = person.read[level]
        w = person.told["weight"] / 70
        cl, v, ka = 3.0 * np.exp(b[:, None]) * w**0.75, 32.3 * w, 1.59
        k = cl / v
        f = 300 * ka / (v * (ka - k)) * (np.exp(-k * hours) - np.exp(-ka * hours))
        readings = np.prod(np.exp(-(((levels - f) / 0.5) ** 2) / 2) / 0.5 / np.sqrt(2 * np.pi), 1)
        between = np.exp(-((b / 0.3) ** 2) / 2) / 0.3 / np.sqrt(2 * np.pi)
        by_hand += np.log(np.trapezoid(readings * between, b))
    assert ours == pytest.approx(by_hand, abs=0.02)
    # Laplace's approximation is close to it here, with many readings and one difference
    assert -search.height(vector) / 2 == pytest.approx(by_hand, abs=0.2)


def test_a_population_is_kept_as_text(by_focei):
    again = read(written(by_focei))
    assert written(again) == written(by_focei)
    assert again.data == "generated"
    assert again.effects == by_focei.effects
    with pytest.raises(ValueError, match="is no population"):
        read('{"model": 1}')


def test_a_population_is_the_prior_of_the_next_person(by_focei):
    told = {"creatinine": 2.0, "slow": 1.0}
    before = prior(by_focei, pk_one.model, told)
    expected = by_focei.typical["clearance"] * np.exp(
        by_focei.effects[0].size * np.log(2.0) + by_focei.effects[1].size
    )
    assert np.exp(before.centre[0, 0]) == pytest.approx(expected, rel=1e-12)
    someone = generated(1, 77)[0]
    fit = individual(pk_one.model, someone, before, {level: by_focei.error["drug_level"]})
    assert fit.converged
    with pytest.raises(Untold, match="creatinine of this person is not told"):
        prior(by_focei, pk_one.model, {})


def test_a_cohort_too_small_is_refused_with_what_to_do():
    with pytest.raises(TooFew, match="fit each person"):
        focei(pk_one.model, generated(4, 1), asked)
    thin = [replace(p, read={level: ([4.0], [2.0])}) for p in generated(8, 1)]
    with pytest.raises(TooFew, match="read more often"):
        saem(pk_one.model, thin, asked, np.random.default_rng(0))


def test_what_the_structure_does_not_fit_is_refused():
    people = generated(8, 1)
    with pytest.raises(ValueError, match="is not among the typical ones"):
        focei(pk_one.model, people, replace(asked, differs={"lag": 0.3}))
    with pytest.raises(ValueError, match="use FOCEI"):
        saem(
            pk_one.model,
            people,
            replace(asked, differs={"ka": 0.3}),
            np.random.default_rng(0),
        )
    with pytest.raises(Untold, match="height of p0"):
        focei(pk_one.model, people, replace(asked, effects=(Share("ka", "height"),)))
