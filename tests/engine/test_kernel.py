"""Compiled models are kept on disk, and a place that cannot be written is no obstacle."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from medtwin.engine.kernel import compiled
from medtwin.engine.simulate import simulate

root = Path(__file__).parents[2]

once = """
import sys
sys.path.insert(0, "tests/engine")
import washout
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
given = [Given(0.0, washout.drug, 100.0)]
print(simulate(washout.model, washout.Parameters(), None, given, [0.0, 60.0]).states[0, 0])
from medtwin.engine.kernel import compiled
loop = compiled(washout.model).one_by_one
print(sum(loop.stats.cache_hits.values()), sum(loop.stats.cache_misses.values()))
"""


def run(home, **more):
    environment = {**os.environ, "MEDTWIN_HOME": str(home), "PYTHONPATH": str(root), **more}
    out = subprocess.run(
        [sys.executable, "-c", once],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return out.stdout.split()


def test_a_second_process_loads_what_the_first_compiled(tmp_path):
    first, second = run(tmp_path), run(tmp_path)
    assert first[0] == second[0]
    assert first[1:] == ["0", "1"]
    assert second[1:] == ["1", "0"]


def test_a_home_that_cannot_be_written_is_passed_over(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert float(run(blocked, XDG_CACHE_HOME=str(tmp_path / "cache"))[0]) > 0
    assert list((tmp_path / "cache" / "medtwin" / "kernels").glob("*.py"))


def test_the_same_model_is_compiled_once(washout):
    assert compiled(washout.model).module is compiled(washout.model, np.float64).module


def test_threads_may_simulate_at_the_same_time(washout):
    from concurrent.futures import ThreadPoolExecutor

    from medtwin.engine.schedule import Given

    p = washout.Parameters(np.linspace(1, 4, 300), 40.0)

    def course(dose):
        return simulate(washout.model, p, None, [Given(0.0, washout.drug, dose)], [0.0, 60.0])

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(course, np.arange(1.0, 21.0)))
    for dose, run_ in zip(np.arange(1.0, 21.0), done, strict=True):
        np.testing.assert_allclose(run_.states[0], dose * np.exp(-p.clearance / 40), rtol=1e-9)
