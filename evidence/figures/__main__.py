"""Every figure of the model pages, drawn by the code it shows.

    python -m evidence.figures [NAME ...]

Each file beside this one offers `draw() -> str`, an SVG; it is written to docs/models/NAME.svg.
"""

import argparse
from importlib import import_module
from pathlib import Path

here = Path(__file__).parent
pages = here.parents[1] / "docs" / "models"
parts = sorted(p.stem for p in here.glob("[a-z]*.py") if p.stem != "chart")


def main() -> None:
    """Draw those named, or all."""
    parser = argparse.ArgumentParser(description="the figures of the model pages")
    parser.add_argument("names", nargs="*", choices=[*parts, []])
    for name in parser.parse_args().names or parts:
        (pages / f"{name}.svg").write_text(import_module(f"evidence.figures.{name}").draw())
        print(f"docs/models/{name}.svg")


if __name__ == "__main__":
    main()
