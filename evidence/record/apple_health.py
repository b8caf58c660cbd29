"""An Apple Health export of 300 MB: memory and speed, in a process of its own.

The export is generated (heart rates, steps, energy; invented). Beside it in the same run: lxml's
iterparse over the same file, which keeps nothing and understands nothing. `MEDTWIN_APPLE_MB` asks
for another size; 3000 takes some minutes.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from evidence.record.figure import Figure

MEGABYTE = 1 << 20
HEAD = b"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE HealthData [
<!ELEMENT HealthData (ExportDate,Me,(Record|Workout)*)>
]>
<HealthData locale="en_GB">
 <ExportDate value="2026-01-01 08:00:00 +0100"/>
 <Me HKCharacteristicTypeIdentifierDateOfBirth="1980-02-03"/>
"""
KINDS = (
    ("HeartRate", "count/min", 60),
    ("StepCount", "count", 9),
    ("ActiveEnergyBurned", "kcal", 2),
)

OURS = """
import json, resource, sys
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from medtwin.sources.door import read
from medtwin.sources.source import Options
begin, facts, kept, refused = process_time(), 0, 0, 0
for a in read([Path(sys.argv[1])], Options(datetime(2026, 6, 1, tzinfo=UTC))):
    facts, kept, refused = facts + len(a.facts), kept + len(a.original), refused + len(a.refused)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([process_time() - begin, peak / 1024, facts, kept, refused]))
"""
THEIRS = """
import json, resource, sys
from time import process_time
from lxml import etree
begin, n = process_time(), 0
for _, element in etree.iterparse(sys.argv[1], tag="Record"):
    n += 1
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([process_time() - begin, peak / 1024, n]))
"""


def figures(shared: Path) -> Iterator[Figure]:
    """Peak memory and speed."""
    size = int(os.environ.get("MEDTWIN_APPLE_MB", "300"))
    with TemporaryDirectory() as folder:
        export = Path(folder) / "ada.xml"
        written = generated(export, size)
        seconds, peak, facts, kept, refused = alone(OURS, export)
        their_seconds, their_peak, records = alone(THEIRS, export)
        whole = kept == export.stat().st_size and facts == records == written
        note = f"{facts} facts of {size} MB, {refused} refused, "
        note += "originals are the file byte for byte" if whole else "SOMETHING IS LOST"
        yield Figure(
            "Apple export, peak memory",
            peak,
            "MB",
            1000,
            more_is_better=False,
            peer="lxml iterparse, which keeps nothing",
            peers=their_peak,
            note=note,
        )
        yield Figure(
            "Apple export to facts",
            facts / seconds,
            "records/s",
            peer="lxml iterparse, which understands nothing",
            peers=records / their_seconds,
            note=f"one core, {size / seconds:.1f} MB/s",
        )


def generated(path: Path, megabytes: int) -> int:
    """An export of about this size; how many records it has."""
    number = 0
    with path.open("wb") as file:
        file.write(HEAD)
        while file.tell() < megabytes * MEGABYTE:
            file.write("".join(record(n) for n in range(number, number + 5000)).encode())
            number += 5000
        file.write(b"</HealthData>\n")
    return number


def record(number: int) -> str:
    """One reading, five seconds after the one before."""
    kind, unit, around = KINDS[number % 3]
    minute, second = divmod(5 * number, 60)
    hour, minute = divmod(minute, 60)
    day, hour = divmod(hour, 24)
    month, day = divmod(day, 28)
    clock = f"{hour:02}:{minute:02}:{second:02}"
    at = f"{2020 + month // 12 % 6}-{month % 12 + 1:02}-{day + 1:02} {clock}"
    return (
        f' <Record type="HKQuantityTypeIdentifier{kind}" sourceName="Ada\'s Watch"'
        f' sourceVersion="10.4" device="&lt;&lt;HKDevice: 0x281>, name:Apple Watch>" unit="{unit}"'
        f' creationDate="{at} +0100" startDate="{at} +0100" endDate="{at} +0100"'
        f' value="{around + number % 17}"/>\n'
    )


def alone(code: str, path: Path) -> list[float]:
    """What a process of its own prints."""
    did = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    return json.loads(did.stdout)
