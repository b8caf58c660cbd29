"""The house keeps its own rules: folders are lists, what exists is documented, the map current."""

import ast
import importlib
import importlib.metadata
import importlib.util
import pkgutil
import re
import tomllib
from pathlib import Path

import pytest

import medtwin
from medtwin.catalogue import everything

root = Path(__file__).parents[1]
rooms = sorted(p.name for p in (root / "medtwin").iterdir() if (p / "__init__.py").exists())
project = tomllib.loads((root / "pyproject.toml").read_text())["project"]

plugins = [
    ("physiology", "medtwin.engine.model", "Model"),
    ("scores", "medtwin.scores.score", "Score"),
    ("sources", "medtwin.sources.source", "Source"),
    ("trials.designs", "medtwin.trials.trial", "Design"),
    ("web.pages", "medtwin.web.page", "Page"),
]


def offered(folder, module, noun):
    """What a plug-in folder offers, by module name."""
    kind = getattr(importlib.import_module(module), noun)
    return everything(importlib.import_module(f"medtwin.{folder}"), kind)


@pytest.mark.parametrize(("folder", "module", "noun"), plugins, ids=[p[0] for p in plugins])
def test_every_plug_in_cites_its_reference_and_is_documented(folder, module, noun):
    found = offered(folder, module, noun)
    assert found, f"medtwin/{folder} offers no {noun}"
    page = (root / "docs" / f"{folder.split('.')[0]}.md").read_text()
    for name, value in found.items():
        assert value.name, name
        assert value.reference, f"{name} cites nothing"
        assert re.search(rf"`{name}(\.py)?`", page), (
            f"{name} is not in docs/{folder.split('.')[0]}.md"
        )


@pytest.mark.parametrize(("folder", "module", "noun"), plugins, ids=[p[0] for p in plugins])
def test_every_plug_in_has_a_test_of_its_own(folder, module, noun):
    tests = root / "tests" / folder.split(".")[0]
    written = "\n".join(p.read_text() for p in tests.glob("*.py"))
    for name in offered(folder, module, noun):
        assert re.search(rf"\b{name}\b", written), f"no test in {tests.name}/ speaks of {name}"


def test_the_contract_of_independence_names_every_model():
    told = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (models,) = (c["modules"] for c in told if c["id"] == "models")
    found = offered("physiology", "medtwin.engine.model", "Model")
    assert sorted(models) == sorted(f"medtwin.physiology.{name}" for name in found)


@pytest.mark.parametrize("folder", ["physiology", "scores", "sources", "trials", "web"])
def test_a_page_says_how_to_add_your_own(folder):
    page = (root / "docs" / f"{folder}.md").read_text()
    assert re.search(r"^#+ add your own", page, re.MULTILINE | re.IGNORECASE)
    after = re.split(r"^#+ add your own", page, flags=re.MULTILINE | re.IGNORECASE)[1]
    assert "```python" in after, f"docs/{folder}.md shows no runnable example"


@pytest.mark.parametrize("room", [r for r in rooms if r != "commands"])
def test_every_room_has_its_page_with_an_example_that_runs(room):
    page = root / "docs" / f"{room}.md"
    assert page.exists(), f"docs/{room}.md is missing"
    assert "```python" in page.read_text(), f"docs/{room}.md shows no runnable example"


def test_every_module_of_every_room_is_on_the_map():
    said = (root / "docs" / "map.md").read_text()
    inside = {r: importlib.import_module(f"medtwin.{r}").__path__ for r in rooms}
    modules = [(r, m.name) for r, path in inside.items() for m in pkgutil.iter_modules(path)]
    assert [m for m in modules if not re.search(rf"^- `{m[1]}(\.|`)", said, re.MULTILINE)] == []


def test_the_map_is_current():
    written = importlib.util.spec_from_file_location("map", root / "tools" / "map.py")
    map_ = importlib.util.module_from_spec(written)
    written.loader.exec_module(map_)
    assert (root / "docs" / "map.md").read_text() == map_.written(), "write it with: make map"


def commands():
    """Every word of the command line, as it is typed."""
    from medtwin.cli import app, audit

    for group, prefix in ((app, "medtwin"), (audit, "medtwin audit")):
        for command in group.registered_commands:
            yield f"{prefix} {command.name or command.callback.__name__.replace('_', '-')}"


def test_every_command_is_documented():
    page = (root / "docs" / "cli.md").read_text()
    assert [c for c in commands() if f"`{c}" not in page] == []


def test_every_environment_variable_is_documented():
    page = (root / "docs" / "cli.md").read_text()
    code = "\n".join(p.read_text() for p in (root / "medtwin").rglob("*.py"))
    from medtwin.settings import Settings

    named = {f"MEDTWIN_{name.upper()}" for name in Settings.model_fields}
    named |= set(re.findall(r"\bMEDTWIN_[A-Z]+\b", code))
    assert sorted(v for v in named if f"`{v}`" not in page) == []


def test_every_word_of_the_glossary_stands_there_once():
    rows = re.findall(
        r"^\| ([a-z, ]+) \| .+ \|$", (root / "docs/words.md").read_text(), re.MULTILINE
    )
    words = [w.strip() for row in rows for w in row.split(",")][1:]
    assert len(words) == len(set(words))
    code = " ".join(p.read_text().lower() for p in (root / "medtwin").rglob("*.py"))
    assert [w for w in words if w.split()[0] not in code] == []


def direct():
    """Every direct dependency by name."""
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    return sorted(re.split(r"[<>=\[ ]", one)[0] for group in groups for one in group)


def test_every_dependency_has_its_reason_and_its_licence():
    page = (root / "docs" / "dependencies.md").read_text()
    rows = re.findall(r"^\| ([a-z0-9-]+) \| ([^|]+) \| ([^|]+) \|$", page, re.MULTILINE)
    named = sorted(name for name, _, _ in rows if name != "package")
    assert named == direct()


permissive = re.compile(r"MIT|BSD|Apache|MPL|ISC|PSF|Python|0BSD|Zlib|Unlicense|CC0", re.IGNORECASE)
restricted = re.compile(r"\bA?GPL|\bBUSL|SSPL|Commons Clause", re.IGNORECASE)
exceptions = {"psycopg": "LGPL-3.0"}  # an extra that nobody gets unasked; docs/dependencies.md


def test_what_is_installed_may_be_used_by_anybody():
    for name in direct():
        try:
            told = importlib.metadata.metadata(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # an extra that is not installed here
        said = " ".join(
            [told.get("License-Expression") or "", (told.get("License") or "")[:200]]
            + [c for c in told.get_all("Classifier") or [] if c.startswith("License")]
        )
        files = importlib.metadata.files(name) or []
        if not said.strip():
            said = " ".join(f.read_text()[:300] for f in files if "LICENSE" in f.name.upper())
        if name in exceptions:
            assert exceptions[name] in said
            continue
        assert permissive.search(said), f"{name}: {said[:200]}"
        assert not restricted.search(said), f"{name}: {said[:200]}"


def test_every_lock_pins_by_hash_and_names_no_host():
    for lock in ("requirements.lock", "requirements-dev.lock", "evidence/requirements.lock"):
        text = (root / lock).read_text()
        pins = re.findall(r"^[a-z0-9][a-z0-9.-]*==", text, re.MULTILINE)
        assert len(pins) > 50
        assert "--hash=sha256:" in text
        assert "://" not in text


def sources():
    """Every source file of the package."""
    return sorted((root / "medtwin").rglob("*.py"))


def test_every_module_says_what_it_is():
    assert [p.name for p in sources() if not ast.get_docstring(ast.parse(p.read_text()))] == []


def test_nobody_switches_the_shape_checks_off():
    # PEP 563 turns annotations into words, and run-time checks silently stop
    assert [
        p.name for p in sources() if "from __future__ import annotations" in p.read_text()
    ] == []


def test_names_are_what_a_clinician_would_say():
    empty = {"utils", "util", "helpers", "helper", "manager", "handler", "base", "core", "common"}
    assert [p.name for p in sources() if p.stem in empty] == []


def test_no_path_of_one_machine_is_in_the_code():
    places = re.compile(r"[\"'](/work|/tmp|/root|/home)/")
    assert [p.name for p in sources() if places.search(p.read_text())] == []


def test_the_version_is_said_once_and_the_same():
    assert medtwin.__version__ == project["version"]
