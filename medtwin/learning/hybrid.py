"""Boosted trees on everybody's past that also hear what each person's twin believes."""

from medtwin.learning.head import Head
from medtwin.learning.trees import for_doubt, for_many, grown

draws = [{**for_many, "seed": n, "extra_trees": True, "feature_fraction": 0.8} for n in (2, 3, 4)]

head = Head(
    name="hybrid",
    reference="Ke et al. (2017), LightGBM; inputs from the twin as in Rackauckas et al. (2020), "
    "Universal differential equations, arXiv:2001.04385",
    told=lambda name: True,
    learn=lambda inputs, change, horizon: grown(inputs, change, 200, for_many, *draws),
    doubt=lambda inputs, missed, horizon: grown(inputs, missed, 100, for_doubt),
)
