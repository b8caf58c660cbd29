from hashlib import sha512
from pathlib import Path

import medtwin.web

static = Path(medtwin.web.__file__).parent / "static"
vendor = static / "vendor"


def listed():
    lines = (vendor / "VERSIONS").read_text().splitlines()[1:]
    return [[word.strip() for word in line.split("|")] for line in lines]


def test_each_vendored_file_is_the_one_whose_hash_is_written_down():
    for name, _, version, licence, wanted in listed():
        assert sha512((vendor / name).read_bytes()).hexdigest() == wanted, name
        assert version[0].isdigit()
        assert licence in {"0BSD", "MIT"}


def test_every_vendored_file_is_listed_and_every_package_has_its_licence_text():
    files = {f.name for f in vendor.iterdir()} - {"VERSIONS"}
    texts = {f for f in files if f.endswith(".LICENSE")}
    assert files - texts == {line[0] for line in listed()}
    assert len(texts) == len({line[1] for line in listed()})


def test_our_own_scripts_and_styles_ask_for_nothing_from_elsewhere():
    for f in static.glob("*.*"):
        if f.suffix in {".js", ".css"}:
            text = f.read_text()
            assert "http://" not in text
            assert "https://" not in text
            assert "eval(" not in text
