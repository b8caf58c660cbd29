"""The most likely parameters of one person: against scipy on the textbook's own formula."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.physiology import pk_one, type1
from medtwin.record import codes
from medtwin.twin.cohort import Person, Untold
from medtwin.twin.map_fit import Error, individual, individuals
from medtwin.twin.prior import NotFree, prior_of

level = codes.drug_level
hours = np.array([0.5, 1.0, 2.0, 4.0, 8.0, 12.0, 24.0])
free = ("clearance", "volume", "ka")


def bateman(z, dose, t):
    """Level after a dose by mouth, as in the textbook."""
    cl, v, ka = np.exp(z)
    k = cl / v
    return dose * ka / (v * (ka - k)) * (np.exp(-k * t) - np.exp(-ka * t))


def someone(name, dose, z, seed, error=0.3):
    noise = np.random.default_rng(seed).standard_normal(len(hours))
    read = bateman(z, dose, hours) + error * noise
    return Person(
        name, (Given(0.0, codes.drug_swallowed, dose),), {level: (hours, read)}, {"weight": 70.0}
    )


anna = someone("anna", 300.0, np.log([4.0, 28.0, 0.9]), 1)
bert = someone("bert", 450.0, np.log([2.2, 40.0, 2.5]), 2)


def objective(z, person, error):
    prior = prior_of(pk_one.model, free)
    f = bateman(z, person.given[0].amount, hours)
    v = error.additive**2 + (error.proportional * f) ** 2
    away = z - prior.centre[:, 0]
    fits = np.sum((person.read[level][1] - f) ** 2 / v + np.log(v))
    return fits + away @ np.linalg.solve(prior.spread, away)


@pytest.mark.parametrize("error", [Error(0.3), Error(0.1, 0.2), Error(0.0, 0.15)])
def test_the_fit_is_where_scipy_finds_the_top_of_the_posterior(error):
    for person in (anna, bert):
        fit = individual(pk_one.model, person, free, {level: error})
        best = minimize(
            *(objective, prior_of(pk_one.model, free).centre[:, 0], (person, error)),
            method="Nelder-Mead",
            options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 5000},
        )
        assert fit.converged, fit.because
        np.testing.assert_allclose(np.log(list(fit.values.values())), best.x, atol=2e-4)
        assert fit.objective == pytest.approx(best.fun, abs=1e-6)


def test_people_fitted_together_get_what_each_gets_alone():
    later = replace(bert, read={level: (hours[:4] + 0.1, bert.read[level][1][:4])})
    together = individuals(pk_one.model, [anna, bert, later], free, {level: Error(0.3)})
    for person, fit in zip([anna, bert, later], together, strict=True):
        alone = individual(pk_one.model, person, free, {level: Error(0.3)})
        np.testing.assert_allclose(
            list(fit.values.values()), list(alone.values.values()), rtol=1e-5
        )


def test_one_reading_of_a_level_long_after_a_dose_teaches_clearance_and_not_absorption():
    one = replace(anna, read={level: ([24.0], [0.8])})
    learned = individual(pk_one.model, one, free, {level: Error(0.1)}).learned
    assert learned["clearance"] > 0.3
    assert learned["ka"] < 0.05


def test_the_doubt_that_remains_is_the_inverse_of_the_curvature():
    fit = individual(pk_one.model, anna, free, {level: Error(0.3)})
    at = np.log(list(fit.values.values()))
    h, error = 1e-3, Error(0.3)
    jac = np.stack(
        [
            (bateman(at + h * e, 300.0, hours) - bateman(at - h * e, 300.0, hours)) / (2 * h)
            for e in np.eye(3)
        ],
        axis=1,
    )
    spread = prior_of(pk_one.model, free).spread
    curvature = jac.T @ jac / error.additive**2 + np.linalg.inv(spread)
    np.testing.assert_allclose(fit.covariance, np.linalg.inv(curvature), rtol=1e-4)


def test_a_fit_that_ends_at_a_bound_is_flagged():
    impossible = replace(anna, read={level: (hours, np.full(7, 9000.0))})
    fit = individual(pk_one.model, impossible, free, {level: Error(0.001)})
    assert not fit.converged
    assert fit.because


def test_a_person_whose_weight_nobody_told_is_refused_until_it_is_free():
    untold = replace(anna, told={})
    with pytest.raises(Untold, match="weight of anna is not told"):
        individual(pk_one.model, untold, free)
    fit = individual(pk_one.model, untold, (*free, "weight"))
    assert fit.errors["weight"] > 0.1


@pytest.mark.parametrize(
    ("names", "typical", "says"),
    [
        (("charm",), {}, "has no parameter charm"),
        (("bioavailability",), {}, "does not differ between people"),
        (("ka",), {"ka": 1000.0}, "outside"),
    ],
)
def test_what_cannot_be_fitted_is_refused(names, typical, says):
    with pytest.raises(NotFree, match=says):
        prior_of(pk_one.model, names, typical)


def test_five_parameters_of_a_type_1_day_come_back():
    minutes = np.arange(0.0, 1441.0, 5.0)
    p = type1.Parameters()
    given = (
        Given(0.0, codes.insulin_basal, float(type1.basal(p)), np.inf),
        Given(420.0, codes.carbohydrate, 60.0, 15.0),
        Given(420.0, codes.insulin_bolus, 6.0),
        Given(780.0, codes.carbohydrate, 80.0, 20.0),
        Given(780.0, codes.insulin_bolus, 7.0),
    )
    names = ("fasting_glucose", "kp3", "Vmx", "kabs", "p2u")
    truth = replace(p, fasting_glucose=118.0, kp3=0.011, Vmx=0.06, kabs=0.2, p2u=0.045)
    seen = simulate(type1.model, truth, None, given, minutes).of(codes.glucose)[:, 0]
    noisy = seen + 3.0 * np.random.default_rng(4).standard_normal(len(seen))
    person = Person("carl", given, {codes.glucose: (minutes, noisy)})
    fit = individual(type1.model, person, names, {codes.glucose: Error(3.0)})
    assert fit.converged, fit.because
    for name in names:
        away = np.log(fit.values[name] / getattr(truth, name)) / fit.errors[name]
        assert abs(away) < 3.0, name
