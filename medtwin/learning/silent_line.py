"""A straight line through one person's own past silences, told what the twin believes."""

from medtwin.learning.head import Head
from medtwin.learning.line import ridge

head = Head(
    name="silent_line",
    reference="Hoerl & Kennard (1970), Technometrics 12:55",
    told=lambda name: name != "person",
    learn=lambda inputs, change, horizon: ridge(inputs, change, restraint=1000.0),
    doubt=lambda inputs, missed, horizon: ridge(inputs, missed, restraint=1000.0),
)
