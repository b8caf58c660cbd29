"""Asking for help is quick because nothing heavy is loaded for it."""

import subprocess
import sys
from pathlib import Path

root = Path(__file__).parents[2]
heavy = ("numpy", "scipy", "numba", "sqlalchemy", "fastapi", "lightgbm", "pyarrow", "pydantic")


def test_the_command_line_loads_nothing_heavy_until_a_word_is_used():
    ask = f"import sys, medtwin.cli; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", ask], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
