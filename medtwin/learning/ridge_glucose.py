"""A straight line through the last hours of glucose alone, one person at a time."""

from medtwin.learning.head import Head
from medtwin.learning.line import level, ridge

beginnings = ("glucose", "change", "bend", "slope", "above mean", "spread", "sine", "cosine")

head = Head(
    name="ridge",
    reference="Hoerl & Kennard (1970), Technometrics 12:55",
    told=lambda name: name.startswith(beginnings),
    learn=lambda inputs, change, horizon: ridge(inputs, change),
    doubt=lambda inputs, missed, horizon: level(inputs, missed),
)
