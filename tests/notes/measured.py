"""How well the reader does on labelled notes: what it found, missed, and found wrongly."""

from datetime import UTC, datetime

from medtwin.notes.reading import read
from medtwin.record.codes import Kind

WRITTEN = datetime(2026, 3, 1, 12, tzinfo=UTC)


def mark(mention):
    """How a mention is to be taken, as the labels say it."""
    for is_so, sign in (
        (mention.whose, "@"),
        (mention.hypothetical or mention.planned, "*"),
        (mention.negated, "-"),
        (mention.uncertain, "?"),
        (mention.historical, "<"),
    ):
        if is_so:
            return sign
    return ""


def told(mention):
    """A mention as a label."""
    if mention.code.kind is Kind.measurement:
        return f"{mark(mention)}{mention.code.id.split('|')[-1]}={mention.value:.3g}"
    return mark(mention) + mention.code.name


def expected(labels):
    """Labels as told, numbers to three digits."""
    for label in filter(None, (one.strip() for one in labels.split(";"))):
        name, _, number = label.partition("=")
        yield f"{name}={float(number):.3g}" if number else name


def compared(notes):
    """Found rightly, found wrongly, missed; and the notes where something is amiss."""
    right = wrong = missed = 0
    amiss = []
    for text, labels in notes:
        want, have = set(expected(labels)), {told(m) for m in read(text, WRITTEN)}
        right, wrong, missed = (
            right + len(want & have),
            wrong + len(have - want),
            missed + len(want - have),
        )
        if want != have:
            amiss.append((text, sorted(have - want), sorted(want - have)))
    return right, wrong, missed, amiss
