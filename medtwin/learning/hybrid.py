"""Boosted trees on everybody's past that also hear what each person's twin believes."""

from medtwin.learning.head import Head
from medtwin.learning.trees import for_doubt, for_many, grown

other_draw = {**for_many, "seed": 2, "extra_trees": True, "feature_fraction": 0.8}

head = Head(
    name="hybrid",
    reference="Ke et al. (2017), LightGBM; inputs from the twin as in Rackauckas et al. (2020), "
    "Universal differential equations, arXiv:2001.04385",
    told=lambda name: True,
    learn=lambda inputs, change, horizon: grown(inputs, change, 300, for_many, other_draw),
    doubt=lambda inputs, missed, horizon: grown(inputs, missed, 100, for_doubt),
)
