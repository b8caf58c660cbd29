"""A straight line through glucose, insulin and meals, one person at a time."""

from medtwin.learning.head import Head
from medtwin.learning.line import ridge

head = Head(
    name="ridge_inputs",
    reference="Hoerl & Kennard (1970), Technometrics 12:55",
    told=lambda name: name != "person" and not name.startswith("twin"),
    learn=lambda inputs, change, horizon: ridge(inputs, change, restraint=1000.0),
    doubt=lambda inputs, missed, horizon: ridge(inputs, missed, restraint=1000.0),
)
