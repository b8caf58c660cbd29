"""Write what Open mHealth's schemas ask for as one small table: names, units, what must be there.

    python tools/open_mhealth_schemas.py FOLDER_OF_SCHEMAS

Only facts are taken: property names, types, units and values allowed, what is required. Prose and
references are not. Source: github.com/openmhealth/schemas (Apache-2.0).
"""

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "medtwin" / "sources" / "open_mhealth_schemas.json"
KEEP = ("type", "enum", "required", "pattern", "format", "minItems")
# IEEE 1752.1 took these over under the same names; its own repository is not in the folder.
SAME = (
    *("body-posture", "date-time", "descriptive-statistic", "duration-unit-value"),
    *("length-unit-value", "temperature-unit-value", "unit-value", "unit-value-range"),
)


def ieee() -> dict[str, Any]:
    """IEEE 1752.1 as far as the samples use it; its time interval knows no part of a day."""
    table: dict[str, Any] = {f"ieee/{n}-1.0": {"$ref": f"omh/{n}-1.x"} for n in SAME}
    ends = {e: {"$ref": "ieee/date-time-1.0"} for e in ("start_date_time", "end_date_time")}
    ends["duration"] = {"$ref": "ieee/duration-unit-value-1.0"}
    pairs = (
        ("start_date_time", "end_date_time"),
        ("start_date_time", "duration"),
        ("end_date_time", "duration"),
    )
    interval = {"type": "object", "oneOf": [{"properties": ends, "required": p} for p in pairs]}
    table["ieee/time-interval-1.0"] = interval
    moment, stretch = {"$ref": "ieee/date-time-1.0"}, {"$ref": "ieee/time-interval-1.0"}
    table["ieee/time-frame-1.0"] = {
        "type": "object",
        "oneOf": [
            {"properties": {"date_time": moment}, "required": ["date_time"]},
            {"properties": {"time_interval": stretch}, "required": ["time_interval"]},
        ],
    }
    table["ieee/percent-unit-value-1.0"] = only("%")
    table["ieee/ambient-sound-1.0"] = {
        "type": "object",
        "properties": {
            "ambient_sound": only("dB"),
            "effective_time_frame": {"$ref": "ieee/time-frame-1.0"},
        },
        "required": ["ambient_sound", "effective_time_frame"],
    }
    return table


def only(unit: str) -> dict[str, Any]:
    """A value in this unit and no other."""
    return {"allOf": [{"$ref": "omh/unit-value-1.x"}, {"properties": {"unit": {"enum": [unit]}}}]}


def main(folder: Path) -> None:
    """Read every schema; write the table."""
    table: dict[str, Any] = {}
    for path in sorted(folder.rglob("*.json")):
        name, text = f"{path.parent.name}/{path.stem}", path.read_text().strip()
        if text.startswith("{"):
            said = json.loads(text)
            table[name] = bare(said, said.get("definitions", {}), path.parent.name)
        else:  # a link of the repository: 1.x is the newest 1
            table[name] = {"$ref": f"{path.parent.name}/{Path(text).stem}"}
    table |= ieee()
    TABLE.write_text(
        json.dumps(table, separators=(",", ":"), sort_keys=True).replace('},"', '},\n"') + "\n"
    )
    print(f"{len(table)} schemas in {TABLE.relative_to(ROOT)}, {TABLE.stat().st_size} bytes")


def bare(said: dict[str, Any], defined: dict[str, Any], room: str) -> dict[str, Any]:
    """A schema without its prose, its definitions put where they are used."""
    if "$ref" in said:
        return referred(said["$ref"], defined, room)
    out = {k: said[k] for k in KEEP if k in said}
    if "properties" in said:
        out["properties"] = {k: bare(v, defined, room) for k, v in said["properties"].items()}
    if "items" in said:
        out["items"] = bare(said["items"], defined, room)
    for several in ("allOf", "anyOf", "oneOf"):
        if several in said:
            out[several] = [bare(one, defined, room) for one in said[several]]
    return out


def referred(ref: str, defined: dict[str, Any], room: str) -> dict[str, Any]:
    """What a reference points at."""
    if ref.startswith("#/definitions/"):
        return bare(defined[ref.rpartition("/")[2]], defined, room)
    path = Path(ref.partition("#")[0])
    folder = path.parent.name.replace("ieee-1752-schema", "ieee") or room
    return {"$ref": f"{folder}/{path.stem}"}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
