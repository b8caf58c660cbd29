"""A command line on a store of its own."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from medtwin.cli import main


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@dataclass(frozen=True)
class Line:
    """What a person types, with a home of its own."""

    home: Path

    def __call__(self, *words, typed=""):
        told = {"MEDTWIN_HOME": str(self.home), "COLUMNS": "200"}
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            for name, value in told.items():
                patch.setenv(name, value)
            patch.setattr("sys.stdin", io.StringIO(typed))
            code = left(words)
        return Done(code, out.getvalue(), err.getvalue())


def left(words):
    """The exit code."""
    try:
        main([str(word) for word in words])
    except SystemExit as gone:
        return gone.code or 0
    return 0


@pytest.fixture
def medtwin(tmp_path):
    return Line(tmp_path / "home")


@pytest.fixture(scope="module")
def house(tmp_path_factory, two_days):
    """A store with one synthetic person who agreed to care and a twin."""
    place = tmp_path_factory.mktemp("cli")
    line = Line(place / "home")
    csv = place / "somebody.csv"
    csv.write_text(two_days)
    done = line("import", csv, "--basis", "synthetic", "--grant", "care,twin", "--json")
    assert done.code == 0, done.err
    return line


@pytest.fixture(scope="session")
def two_days():
    """Two days of readings of a made-up person, and one meal."""
    start = datetime(2026, 3, 1, tzinfo=UTC)
    rows = ["patient,time,glucose,carbohydrate"]
    for k in range(2 * 288):
        at = start + timedelta(minutes=5 * k)
        eaten = "60" if k == 500 else ""
        rows.append(f"somebody,{at.isoformat()},{120 + (k * 7) % 40},{eaten}")
    return "\n".join(rows) + "\n"


@pytest.fixture
def somebody(house):
    return house("patients", "--json").json[0]["patient"]
