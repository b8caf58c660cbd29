"""Facts as the Medical Event Data Standard: who (a number), when, what, how much.

MEDS 0.4: `data/*.parquet` with one person's rows together, in the order of time;
`metadata/codes.parquet` says what codes mean, `metadata/subject_splits.parquet` who is for teaching
and who is held out, `metadata/dataset.json` where it is from.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from medtwin.record.codes import Code
from medtwin.record.record import Record, facts

VERSION = "0.4.0"
NAMES = {
    "http://loinc.org": "LOINC",
    "http://snomed.info/sct": "SNOMED",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "RXNORM",
    "http://hl7.org/fhir/sid/icd-10-cm": "ICD10CM",
    "http://hl7.org/fhir/sid/cvx": "CVX",
}
DATA = pa.schema(
    [
        ("subject_id", pa.int64()),
        ("time", pa.timestamp("us")),
        ("code", pa.string()),
        ("numeric_value", pa.float32()),
        ("text_value", pa.large_string()),
        ("unit", pa.string()),
    ]
)
CODES = pa.schema(
    [
        ("code", pa.string()),
        ("description", pa.string()),
        ("parent_codes", pa.list_(pa.string())),
        ("unit", pa.string()),
    ]
)
SPLITS = pa.schema([("subject_id", pa.int64()), ("split", pa.string())])
SHARES = (("train", 0.8), ("tuning", 0.1), ("held_out", 0.1))


def called(code: Code) -> str:
    """A code in one word: its first coding in a known system, or the house's own."""
    for token in code.codings or (code.id,):
        system, bar, value = token.partition("|")
        if bar and system in NAMES:
            return f"{NAMES[system]}//{value}"
    return f"MEDTWIN//{code.id}"


def events(record: Record, subject: int, days: int = 0) -> Iterator[dict[str, Any]]:
    """One person's facts as rows, in the order of time; dates moved by so many days.

    What was taken back is left out. A condition that was denied keeps its 0.
    """
    rows = [
        (o.at, called(code), o.value, o.says, code.unit)
        for code, series in record.columns.items()
        for o in facts(code, series.current)
    ]
    for at, name, value, says, unit in sorted(rows, key=lambda row: (row[0], row[1])):
        yield {
            "subject_id": subject,
            "time": _naive(at + timedelta(days=days)),
            "code": name,
            "numeric_value": float(value),
            "text_value": says or None,
            "unit": unit,
        }


def written(
    folder: Path,
    records: Iterable[tuple[Record, int]],
    name: str,
    now: datetime,
    told: Callable[[int], None] = lambda _: None,
) -> dict[str, int]:
    """A whole data set in `folder`: one file of data for each person, then what describes it.

    `records` are people's facts, each with the days its dates move. Returns how many people and
    events. A person's number is their place in the order, which says nothing about them.
    """
    (folder / "metadata").mkdir(parents=True, exist_ok=True)
    meaning: dict[str, Code] = {}
    splits: list[dict[str, Any]] = []
    many = 0
    for subject, (record, days) in enumerate(records, start=1):
        split = _split(subject)
        table = pa.Table.from_pylist(list(events(record, subject, days)), DATA)
        (folder / "data" / split).mkdir(parents=True, exist_ok=True)
        pq.write_table(table, folder / "data" / split / f"{subject}.parquet", compression="zstd")
        meaning |= {called(code): code for code in record.columns}
        splits.append({"subject_id": subject, "split": split})
        many += table.num_rows
        told(subject)
    _describe(folder / "metadata", meaning, splits, name, now)
    return {"people": len(splits), "events": many}


def _split(subject: int) -> str:
    """Of every ten people eight teach, one tunes, one is held out; drawn by number."""
    drawn = float(np.random.default_rng(subject).random())
    for name, share in SHARES:
        drawn -= share
        if drawn < 0:
            return name
    return SHARES[-1][0]


def _describe(
    folder: Path,
    meaning: dict[str, Code],
    splits: list[dict[str, Any]],
    name: str,
    now: datetime,
) -> None:
    rows = [
        {"code": word, "description": code.name, "parent_codes": [], "unit": code.unit}
        for word, code in sorted(meaning.items())
    ]
    pq.write_table(pa.Table.from_pylist(rows, CODES), folder / "codes.parquet")
    pq.write_table(pa.Table.from_pylist(splits, SPLITS), folder / "subject_splits.parquet")
    said = {
        "dataset_name": name,
        "etl_name": "medtwin",
        "meds_version": VERSION,
        "created_at": now.isoformat(),
    }
    (folder / "dataset.json").write_text(json.dumps(said, indent=1))


def _naive(at: datetime) -> datetime:
    """MEDS keeps times without a zone; ours are UTC."""
    return at.replace(tzinfo=None)
