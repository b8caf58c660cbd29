"""The exact filter against a textbook one: dense matrices, scipy's matrix exponential."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy.linalg import expm

from medtwin.maths.kalman import (
    Belief,
    Events,
    Lines,
    System,
    affine,
    chain,
    followed,
    look,
    rate,
    reading,
    rolled,
    taken,
    used,
)

# A dose into a depot (driven), and a spring whose middle the depot's level moves (linear, and
# no chain: position and speed move each other).
source = """
def drift(t, x, u, p):
    depot, position, speed = x
    (pump,) = u
    pull = -p.stiffness * position - p.friction * speed + p.push * depot + 0.1
    return (pump - p.loss * depot, speed, pull)


def noise(t, x, u, p):
    return (0.0, 0.0, p.shake)


def error(x, p):
    return (p.blur,)
"""
names = ("stiffness", "friction", "push", "loss", "shake", "blur")
values = np.array([0.04, 0.1, 0.02, 0.05, 0.3, 0.5])


@pytest.fixture(scope="module")
def spring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("spring")
    (folder / "spring_for_the_filter.py").write_text(source)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setenv("MEDTWIN_HOME", str(folder))
        plain: ModuleType = importlib.import_module("spring_for_the_filter")
        system = System("spring", 3, (1, 2), 1, names, plain.drift, plain.noise, plain.error)
        from medtwin.maths.kalman import compiled

        compiled(system)
        yield system


def first() -> Belief:
    return Belief(np.array([[0.0, 5.0, 0.0]]), np.diag([4.0, 1.0])[None].copy(), np.array([[0.5]]))


lines = Lines(
    jumps=np.array([[[1.0, 0.0, 0.0]]]),
    doubts=np.array([[[0.0, 0.0, 0.2]]]),
    tells=np.array([[[0.0, 0.0, 0.3]]]),
    rows=np.array([[[0.0, 1.0, 0.0]]]),
    levels=np.array([[2.0]]),
    usual=np.array([[0.1]]),
)


def happened() -> Events:
    return Events(
        minutes=np.array([100.0, 107.0, 108.5, 120.0, 131.0]),
        kind=np.array([reading, taken, rate, reading, reading]),
        which=np.zeros(5, dtype=np.int64),
        amount=np.array([6.0, 3.0, 0.2, 1.0, 4.5]),
    )


def textbook(events: Events, start: float) -> tuple[np.ndarray, np.ndarray]:
    """All three states in one dense system; Van Loan (1978) for the noise, Joseph's update."""
    k, f, b, loss, shake, blur = values
    a = np.array([[-loss, 0, 0], [0, 0, 1], [b, -k, -f]])
    q = np.diag([0.0, 0.0, shake**2])
    x, cov, u, now = np.array([0.0, 5.0, 0.0]), np.diag([0.0, 4.0, 1.0]), 0.5, start
    h = np.array([0.0, 1.0, 0.0])
    for t, kind, amount in zip(events.minutes, events.kind, events.amount, strict=True):
        dt, now = t - now, t
        block = np.block([[-a, q], [np.zeros((3, 3)), a.T]]) * dt
        e = expm(block)
        whole = e[3:, 3:].T
        added = whole @ e[:3, 3:]
        shift = expm(np.block([[a, np.array([[u], [0], [0.1]])], [np.zeros((1, 4))]]) * dt)[:3, 3]
        x, cov = whole @ x + shift, whole @ cov @ whole.T + added
        if kind == taken:
            x = x + np.array([amount, 0, 0])
            cov = cov + np.diag([0, 0, (0.2 * amount) ** 2])
        elif kind == rate:
            x, u = x + np.array([0, 0, 0.3 * (amount - u)]), amount
        else:
            gain = cov @ h / (h @ cov @ h + blur**2)
            x = x + gain * (amount - 2.0 - h @ x)
            keep = np.eye(3) - np.outer(gain, h)
            cov = keep @ cov @ keep.T + np.outer(gain, gain) * blur**2
    return x, cov


def test_it_agrees_with_a_dense_textbook_filter_on_a_known_linear_system(spring: System) -> None:
    after, _, _ = followed(
        spring, first(), values[None], lines, happened(), 90.0, longest=0.5, most=1e9
    )
    mean, covariance = textbook(happened(), 90.0)
    np.testing.assert_allclose(after.mean[0], mean, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(after.covariance[0], covariance[1:, 1:], rtol=1e-4, atol=1e-4)


def test_the_matrix_is_found_by_probing_the_drift(spring: System) -> None:
    rng = np.random.default_rng(1)
    p = dict(zip(names, rng.uniform(0.5, 2.0, 6), strict=True))
    expected = [[0, 1], [-p["stiffness"], -p["friction"]]]
    np.testing.assert_allclose(affine(spring, seed=1), expected, atol=1e-12)
    assert not chain(spring)


def test_a_reading_that_surprises_too_much_is_believed_less(spring: System) -> None:
    wild = Events(np.array([90.0]), np.array([reading]), np.array([0]), np.array([1000.0]))
    sure, _, _ = followed(spring, first(), values[None], lines, wild, 90.0, most=1e9)
    wary, surprise, sd = followed(spring, first(), values[None], lines, wild, 90.0, most=4.0)
    assert surprise[0, 0] == pytest.approx(1000 - 7)
    assert sd[0, 0] == pytest.approx(np.sqrt(4 + 0.25))
    # a surprise of 4 sd at the usual gain, by hand
    assert wary.mean[0, 1] == pytest.approx(5 + 4 / 4.25 * 4 * np.sqrt(4.25))
    assert sure.mean[0, 1] > 900 > wary.mean[0, 1]


def test_paths_have_the_exact_mean_and_nearly_the_exact_spread(spring: System) -> None:
    ahead = Events(np.array([95.0, 110.0]), np.full(2, look), np.zeros(2, np.int64), np.zeros(2))
    z = np.random.default_rng(3).standard_normal((1, 4000, used(ahead, 90.0), 3))
    paths, middle, variance = rolled(spring, first(), values[None], lines, ahead, 90.0, z)
    np.testing.assert_allclose(paths.mean(axis=1), middle, atol=1e-9)
    np.testing.assert_allclose(paths.std(axis=1), np.sqrt(variance), rtol=0.04)


def test_the_compiled_text_names_its_model_and_is_kept_on_disk(spring: System) -> None:
    from medtwin.maths.kalman import compiled, text

    assert "Generated from the model 'spring'" in text(spring)
    assert Path(str(compiled(spring).__file__)).exists()
