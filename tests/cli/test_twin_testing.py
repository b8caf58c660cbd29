"""`medtwin twin-test` says what it found, and leaves with 1 where a twin failed."""

import json
import sys

from medtwin.commands import twin_testing

broken = """
from medtwin.twin_suite.story import morning

class Adapter:
    name, address, story = "a system that does not start", "", morning

    def open(self, home):
        raise RuntimeError("no store")

adapter = Adapter()
"""


def test_the_living_twin_passes_all_six_and_the_numbers_are_told(capsys):
    twin_testing.run("glucose_living", None, as_json=True)  # returns, so the exit code is 0
    (found,) = json.loads(capsys.readouterr().out)
    assert [v["letter"] for v in found["verdicts"]] == list("abcdef")
    assert all(v["passed"] and v["because"] for v in found["verdicts"])


def test_another_systems_twin_is_found_beside_where_one_types_and_its_failure_is_an_exit_code(
    medtwin, tmp_path, monkeypatch
):
    (tmp_path / "their_twin.py").write_text(broken)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    done = medtwin("twin-test", "--adapter", "their_twin:adapter")
    assert done.code == 1
    assert "a system that does not start" in done.out
    assert done.out.count("RuntimeError: no store") == 6


def test_a_model_that_is_none_is_named_with_those_that_are(medtwin):
    done = medtwin("twin-test", "--model", "liver")
    assert done.code == 2
    assert "no model is called liver; allowed: glucose_living, type1" in done.err


def test_an_adapter_brings_its_own_model(medtwin):
    done = medtwin("twin-test", "--model", "type1", "--adapter", "a:b")
    assert done.code == 2
    assert "leave --model out" in done.err
