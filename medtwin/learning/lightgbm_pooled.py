"""Boosted trees that learn from everybody's past, and know who is who."""

from medtwin.learning.head import Head
from medtwin.learning.trees import for_doubt, for_many, grown

head = Head(
    name="lightgbm_pooled",
    reference="Ke et al. (2017), LightGBM, Adv Neural Inf Process Syst 30",
    told=lambda name: not name.startswith("twin"),
    learn=lambda inputs, change, horizon: grown(inputs, change, 300, for_many),
    doubt=lambda inputs, missed, horizon: grown(inputs, missed, 100, for_doubt),
)
