"""A population in blocks: the same bits for any number of workers, and the right reductions."""

import multiprocessing
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import crowd
import numpy as np
import pytest
import washout

from medtwin.engine.model import sample
from medtwin.engine.scaled import (
    cluster,
    drawn,
    histogram,
    mean,
    quantiles,
    share_between,
    spread,
)

edges = np.linspace(0.0, 10.0, 501)
asked = {
    "mean": mean(washout.level),
    "counts": histogram(washout.level, edges),
    "quantiles": quantiles(washout.level, edges, [0.05, 0.5, 0.95]),
    "in range": share_between(washout.level, 1.0, 2.5),
}
everybody = crowd.run(np.arange(3000)).of(washout.level)


def bits(told):
    return {name: value.tobytes() for name, value in told.results.items()}


alone = spread(crowd.run, 3000, asked, block=500)


def test_reductions_are_those_of_the_whole_crowd():
    told = alone.results
    assert (alone.members, alone.lost) == (3000, 0)
    np.testing.assert_allclose(told["mean"][0], everybody.mean(axis=1), rtol=1e-13)
    np.testing.assert_allclose(told["mean"][1], everybody.std(axis=1, ddof=1), rtol=1e-12)
    assert told["counts"][4].tolist() == np.histogram(everybody[4], edges)[0].tolist()
    expected = np.quantile(everybody[1:], [0.05, 0.5, 0.95], axis=1)
    np.testing.assert_allclose(told["quantiles"][:, 1:], expected, atol=0.02)  # one bin
    share = ((everybody >= 1.0) & (everybody <= 2.5)).mean(axis=0)
    np.testing.assert_allclose(told["in range"][:, 0], [share.mean(), share.std(ddof=1)])


def test_two_threads_give_the_same_bits():
    with ThreadPoolExecutor(2) as pool:
        assert bits(spread(crowd.run, 3000, asked, pool, block=500)) == bits(alone)


def test_two_processes_give_the_same_bits():
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        assert bits(spread(crowd.run, 3000, asked, pool, block=500)) == bits(alone)


def test_a_dask_cluster_gives_the_same_bits():
    distributed = pytest.importorskip("distributed", reason="medtwin[cluster] is not installed")
    local = distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=2,
        processes=False,
        dashboard_address=None,
        protocol="inproc://",
    )
    with local, cluster(local.scheduler_address) as pool:
        assert bits(spread(crowd.run, 3000, asked, pool, block=500)) == bits(alone)


def test_a_members_parameters_do_not_depend_on_who_is_drawn_with_them():
    one = drawn(washout.Parameters, np.array([77]), seed=3)
    many = drawn(washout.Parameters, np.arange(200), seed=3)
    assert one.clearance[0] == many.clearance[77]
    assert one.volume[0] == many.volume[77]


def test_keyed_draws_have_the_spread_that_sample_draws():
    keyed = drawn(washout.Parameters, np.arange(40_000), seed=3).clearance
    usual = sample(washout.Parameters, 40_000, np.random.default_rng(0)).clearance
    assert np.median(keyed) == pytest.approx(2.0, rel=0.01)
    assert np.log(keyed).std() == pytest.approx(np.log1p(0.3**2) ** 0.5, rel=0.02)
    np.testing.assert_allclose(
        np.quantile(keyed, [0.1, 0.9]), np.quantile(usual, [0.1, 0.9]), rtol=0.02
    )


def test_without_dask_the_extra_is_named():
    lines = (
        "import sys; sys.modules['distributed'] = None\n"
        "from medtwin.engine import scaled\n"
        "try:\n"
        "    scaled.cluster('nowhere').__enter__()\n"
        "except scaled.NeedsCluster as told:\n"
        "    print(told)\n"
    )
    told = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True)
    assert "medtwin[cluster]" in told.stdout
