"""The gate: every check in turn, each with its time, and one line at the end that says how it went.

All stages run even if an early one is red, so that one run tells everything there is to mend.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

root = Path(__file__).parents[1]
tools = Path(sys.executable).parent

stages = {
    "format": [tools / "ruff", "format", "--check", "--quiet", "."],
    "lint": [tools / "ruff", "check", "--quiet", "."],
    "import contracts": [tools / "lint-imports", "--no-logo"],
    "types": [tools / "basedpyright"],
    "tests": [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile"],
}


def run(name: str) -> bool:
    """Whether this stage is green; it prints what it has to say and how long it took."""
    print(f"── {name}", flush=True)
    began = time.monotonic()
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # pytest has both cores
    done = subprocess.run(stages[name], cwd=root, env={**os.environ, **one_thread}, check=False)
    verdict = "green" if done.returncode == 0 else "RED"
    print(f"── {name}: {verdict} in {time.monotonic() - began:.0f} s\n", flush=True)
    return done.returncode == 0


def main() -> None:
    """Run the named stages, or all of them."""
    began = time.monotonic()
    red = [name for name in sys.argv[1:] or stages if not run(name)]
    took = f"{time.monotonic() - began:.0f} s"
    if red:
        sys.exit(f"the gate is red after {took}: {', '.join(red)}")
    print(f"the gate is green in {took}")


if __name__ == "__main__":
    main()
