"""Write docs/map.md: every room and module with the first line of its own docstring."""

import ast
from pathlib import Path

root = Path(__file__).parents[1]
target = root / "docs" / "map.md"

STORY = """# The map

Written by `make map` from the modules' own first lines; a test says whether it is current.
Arrows only point down: a room may use the rooms below it, never those above or beside it.

```
web                                             pages, sessions, the same as JSON
care                                            what people do about what the twin says
vault | trials | hospital                       keeping | experimenting | a generated building
twin                                            the living model of one person
physiology | scores | learning | sources        libraries of plug-ins: one thing, one file
identity | exports                              who is who | records as other people's tables
engine | fhir | notes | genome                  model files | the standard | texts | variants
record | maths                                  facts | numerics with no medical word in them
catalogue                                       finds plug-ins by folder
```

What happens to one measurement: **sources** turns bytes into observations; the **vault** asks the
person's consent, writes the fact and the audit line; **twin** learns from it, looks ahead and keeps
the forecast in its ledger; **care** speaks if the chance is worth attention, and says why; **web**
shows the same forecast, the same reason and the same audit line.
"""

ROOMS = (
    "record",
    "maths",
    "catalogue",
    "engine",
    "fhir",
    "notes",
    "genome",
    "physiology",
    "scores",
)
ROOMS += (
    "learning",
    "sources",
    "identity",
    "exports",
    "twin",
    "vault",
    "trials",
    "hospital",
    "care",
    "web",
    "twin_suite",
)


def first_line(path: Path) -> str:
    """What a module says it is."""
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(said.split("\n\n")[0].split())


def section(room: str) -> str:
    """One room: what it is, and its modules."""
    folder = root / "medtwin" / room
    lines = [f"\n## {room}\n", first_line(folder / "__init__.py") + "\n"]
    for path in sorted(folder.rglob("*.py")):
        if path.name != "__init__.py":
            name = path.relative_to(folder).with_suffix("").as_posix().replace("/", ".")
            lines.append(f"- `{name}`: {first_line(path)}")
    return "\n".join(lines) + "\n"


def written() -> str:
    """The whole map."""
    rooms = [section(room) for room in ROOMS if (root / "medtwin" / room).is_dir()]
    roots = ["\n## Composition\n", "What puts the rooms together, and may import everything.\n"]
    files = sorted(p for p in (root / "medtwin").glob("*.py") if p.name != "__init__.py")
    roots += [f"- `{path.stem}`: {first_line(path)}" for path in files]
    return STORY + "".join(rooms) + "\n".join(roots) + "\n" + section("commands")


if __name__ == "__main__":
    target.write_text(written(), encoding="utf-8")
