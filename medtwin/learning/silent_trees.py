"""Boosted trees on one person's own past silences, told what the twin believes."""

from medtwin.learning.head import Head
from medtwin.learning.line import ridge
from medtwin.learning.trees import for_one, grown

draws = [{**for_one, "seed": n, "extra_trees": True} for n in (2, 3)]

head = Head(
    name="silent_trees",
    reference="Ke et al. (2017), LightGBM, Adv Neural Inf Process Syst 30; inputs from the twin as "
    "in Rackauckas et al. (2020), arXiv:2001.04385",
    told=lambda name: name != "person",
    learn=lambda inputs, change, horizon: grown(inputs, change, 150, for_one, *draws),
    doubt=lambda inputs, missed, horizon: ridge(inputs, missed, restraint=1000.0),
)
