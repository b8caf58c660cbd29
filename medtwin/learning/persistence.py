"""Glucose stays what it is: the forecast every other one must beat."""

from medtwin.learning.head import Head
from medtwin.learning.line import level, unmoved

head = Head(
    name="persistence",
    reference="The last value carried forward; Kovatchev et al. (2004), Diabetes Care 27:1922",
    told=lambda name: name == "glucose",
    learn=lambda inputs, change, horizon: unmoved(inputs),
    doubt=lambda inputs, missed, horizon: level(inputs, missed),
)
