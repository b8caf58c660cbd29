"""A straight line through one person's own past silences, beyond what the twin believes."""

from dataclasses import replace

from medtwin.learning.head import Head
from medtwin.learning.inputs import Inputs
from medtwin.learning.line import Line, ridge
from medtwin.learning.readings import Moments


def beyond_the_twin(inputs: Inputs, change: Moments, horizon: int) -> Line:
    """A line through what is left of the change the twin expects, with that change added; through
    the whole change where no twin is heard."""
    name = f"twin change in {horizon} min"
    if name not in inputs.names:
        return ridge(inputs, change, restraint=3000.0)
    twin = inputs.names.index(name)
    line = ridge(inputs, change - inputs.values[:, twin], restraint=3000.0)
    weights = line.weights.copy()
    weights[twin] += line.scale[twin]
    return replace(line, weights=weights, offset=line.offset + float(line.centre[twin]))


head = Head(
    name="silent_line",
    reference="Hoerl & Kennard (1970), Technometrics 12:55",
    told=lambda name: name != "person",
    learn=beyond_the_twin,
    doubt=lambda inputs, missed, horizon: ridge(inputs, missed, restraint=1000.0),
)
