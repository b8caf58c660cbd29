"""What every room's tests share: the outside data when it is there, and hypothesis settings."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

root = Path(__file__).parents[1]

settings.register_profile(
    "gate",
    deadline=None,
    derandomize=True,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("gate")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of outside data; without it the test is skipped and says so."""
    place = Path(os.environ.get("MEDTWIN_SHARED") or root.parent / "shared").resolve()
    if not (place / "data").is_dir():
        pytest.skip("outside data is not here: set MEDTWIN_SHARED to the shared folder")
    return place


@pytest.fixture(scope="session")
def vectors() -> Path:
    """Reference values kept beside the tests, numbers only."""
    return root / "tests" / "vectors"


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """Where tests leave screenshots; kept by the gate, never committed."""
    place = root / "artefacts"
    place.mkdir(exist_ok=True)
    return place
