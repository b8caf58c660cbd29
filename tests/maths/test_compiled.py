"""Generated modules are made once, whole, whoever asks at the same moment."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from medtwin.maths.compiled import written

slow = "import time\ntime.sleep(0.05)\nanswer = 42\n"


def test_threads_that_ask_together_all_get_the_whole_module(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDTWIN_HOME", str(tmp_path))
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: written("together", slow).answer, range(8)))
    assert made == [42] * 8
    assert len(list((tmp_path / "kernels").glob("medtwin_together_*.py"))) == 1


def test_what_it_rests_on_makes_another_module(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDTWIN_HOME", str(tmp_path))
    assert written("apart", "a = 1\n") is written("apart", "a = 1\n")
    assert written("apart", "a = 1\n") is not written("apart", "a = 1\n", b"other lanes")


def test_a_text_that_breaks_leaves_no_half_module_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDTWIN_HOME", str(tmp_path))
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            written("broken", "1 / 0\n")
