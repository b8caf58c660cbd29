"""Clinical notes: speed, hand-labelled accuracy, and what MTS-Dialog can say.

MTS-Dialog (Ben Abacha et al., EACL 2023; CC BY 4.0) has doctor-patient dialogues with a summary of
each under one of 20 section headers; it labels no findings. Its training part was looked at while
the rules were written; the validation part was not, and is what is reported.
"""

import csv
import gzip
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

from evidence.record.figure import Figure
from medtwin.notes.mention import Mention
from medtwin.notes.reading import read
from medtwin.notes.section_words import guessed
from medtwin.record.codes import Kind

AT = datetime(2026, 3, 1, tzinfo=UTC)
HEADER = {
    "social": "FAM/SOCHX",
    "allergies": "ALLERGY",
    "medications": "MEDICATIONS",
    "surgical": "PASTSURGICAL",
    "review": "ROS",
    "past": "PASTMEDICALHX",
    "present": "GENHX",
    "complaint": "CC",
    "examination": "EXAM",
    "assessment": "ASSESSMENT",
    "plan": "PLAN",
    "disposition": "DISPOSITION",
    "immunisations": "IMMUNIZATIONS",
    "imaging": "IMAGING",
    "laboratory": "LABS",
    "course": "EDCOURSE",
    "procedures": "PROCEDURES",
    "": "GENHX",
}
Row = dict[str, str]


def figures(shared: Path) -> Iterator[Figure]:
    """Speed, labelled notes, sections, and agreement of summary and dialogue."""
    yield from labelled()
    training, validation = (part(shared, name) for name in ("Training", "Validation"))
    yield speed([row["section_text"] for row in training])
    yield from sections(training, validation)
    yield from agreement(validation)


def part(shared: Path, name: str) -> list[Row]:
    """One part of MTS-Dialog."""
    file = shared / f"data/mts_dialog/MTS-Dialog-{name}Set.csv.gz"
    with gzip.open(file, "rt", encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def speed(texts: list[str]) -> Figure:
    """Words a second on one core, beside a split by `re`, in turns."""
    words = sum(len(t.split()) for t in texts)
    whole = [n for t in texts for n in read(t, AT)]
    ours, theirs = [], []
    for _ in range(5):
        ours.append(_spent(lambda: [list(read(t, AT)) for t in texts]))
        theirs.append(_spent(lambda: [re.split(r"\W+", t) for t in texts]))
    note = f"{len(whole)} mentions in {words} words of {len(texts)} notes, processor time"
    peer = "re.split into words, which understands nothing"
    pace = words / median(ours)
    return Figure("notes read", pace, "words/s", 100_000, True, peer, words / median(theirs), note)


def _spent(act: Any) -> float:
    began = process_time()
    act()
    return process_time() - began


def labelled() -> Iterator[Figure]:
    """Precision and recall on the notes of `tests/notes/labelled.py`."""
    notes, measured = (_beside(name) for name in ("labelled", "measured"))
    for which, what in (("FIRST", "while rules were written"), ("APART", "held out")):
        told = getattr(notes, which)
        right, wrong, missed, _ = measured.compared(told)
        note = (
            f"{len(told)} notes of our own, {what}; {right} right, {wrong} wrong, {missed} missed"
        )
        note += "; a mention counts with its status and its value"
        yield Figure(f"labelled notes, precision, {what}", right / (right + wrong), "", note=note)
        yield Figure(f"labelled notes, recall, {what}", right / (right + missed), "", note=note)


def _beside(name: str) -> Any:
    file = Path(__file__).parents[2] / "tests" / "notes" / f"{name}.py"
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(file)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sections(training: list[Row], validation: list[Row]) -> Iterator[Figure]:
    """Which of 20 headers a summary stands under, from its words alone."""
    common = Counter(row["section_header"] for row in training).most_common(1)[0][0]
    for rows, name in ((validation, "validation"), (training, "training, looked at")):
        right = sum(HEADER[guessed(r["section_text"])] == r["section_header"] for r in rows)
        usual = sum(r["section_header"] == common for r in rows) / len(rows)
        yield Figure(
            f"section of a text without header, {name}",
            right / len(rows),
            "accuracy",
            peer=f"always {common}, the commonest in training",
            peers=usual,
            note=f"{len(rows)} summaries, 20 headers; hand-written words, nothing learned",
        )
    yield _learned(training, validation)


def _learned(training: list[Row], validation: list[Row]) -> Figure:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    learner = make_pipeline(words, LogisticRegression(C=20, max_iter=2000))
    learner.fit([r["section_text"] for r in training], [r["section_header"] for r in training])
    right = learner.score(
        [r["section_text"] for r in validation], [r["section_header"] for r in validation]
    )
    note = "what learning from the training part reaches; the product ships no such weights"
    return Figure("section, learned from training, validation", float(right), "accuracy", note=note)


def agreement(rows: list[Row]) -> Iterator[Figure]:
    """How many of a summary's findings the dialogue holds too, and with the same answer."""
    told = found = same = 0
    for row in rows:
        here, there = answers(row["section_text"]), answers(row["dialogue"])
        told += len(here)
        found += len(here.keys() & there.keys())
        same += sum(there.get(code) == so for code, so in here.items())
    note = f"{told} findings, conditions, medicines and procedures in {len(rows)} summaries of the "
    note += "validation part; nobody labelled them: what the reader misses in both is not counted, "
    note += "and a patient's No to a doctor's question stands in another sentence"
    yield Figure("of a summary's findings, named in the dialogue too", found / told, "", note=note)
    yield Figure("the same, with the same yes or no", same / max(found, 1), "", note=note)


def answers(text: str) -> dict[str, bool]:
    """Each thing a text mentions of the patient, and whether it is so."""
    known = (m for m in read(text, AT) if _counts(m))
    return {m.code.id: not m.negated for m in known}


def _counts(mention: Mention) -> bool:
    return mention.code.kind is not Kind.measurement and not mention.whose
