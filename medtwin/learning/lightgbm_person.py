"""Boosted trees that learn from one person's own past."""

from medtwin.learning.head import Head
from medtwin.learning.line import ridge
from medtwin.learning.trees import for_one, grown

head = Head(
    name="lightgbm_person",
    reference="Ke et al. (2017), LightGBM, Adv Neural Inf Process Syst 30",
    told=lambda name: name != "person" and not name.startswith("twin"),
    learn=lambda inputs, change, horizon: grown(inputs, change, 150, for_one),
    doubt=lambda inputs, missed, horizon: ridge(inputs, missed, restraint=1000.0),
)
