"""Boosted trees: many small questions asked one after another, each correcting the last.

Ke et al. (2017), LightGBM, Adv Neural Inf Process Syst 30. LightGBM is imported only where it
is used, because it takes a while.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from medtwin.learning.head import Table
from medtwin.learning.inputs import Inputs
from medtwin.learning.readings import Moments

Settings = Mapping[str, Any]
steady: Settings = {
    "objective": "regression",
    "num_threads": 1,  # several threads wait for each other where cores are shared
    "verbose": -1,
    "seed": 1,
    "deterministic": True,
    "force_row_wise": True,
}
for_many: Settings = {
    "num_leaves": 31,
    "learning_rate": 0.05,
    "min_data_in_leaf": 50,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.6,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
}
for_one: Settings = {**for_many, "num_leaves": 15, "min_data_in_leaf": 30}
for_doubt: Settings = {**for_many, "num_leaves": 15, "min_data_in_leaf": 200}


@dataclass(frozen=True)
class Trees:
    """Forests as LightGBM writes them, whose answers are averaged."""

    texts: tuple[str, ...]

    @cached_property
    def _forests(self) -> list[Any]:
        from lightgbm import Booster

        return [Booster(model_str=text) for text in self.texts]

    def __call__(self, table: Table) -> Moments:
        if not len(table):
            return np.empty(0)
        said = [
            forest.predict(table, num_threads=steady["num_threads"]) for forest in self._forests
        ]
        return np.mean(said, axis=0)


def grown(inputs: Inputs, wanted: Moments, rounds: int, *settings: Settings) -> Trees:
    """Forests grown on these rows, one for each of `settings`; "person" is a name, not a size."""
    from lightgbm import Dataset, train

    names = [name for name in inputs.names if name == "person"]
    columns = [inputs.names.index(name) for name in names]
    texts = []
    for chosen in settings:
        rows = Dataset(inputs.values, wanted, categorical_feature=columns, params={"verbose": -1})
        texts.append(train({**steady, **chosen}, rows, rounds).model_to_string())
    return Trees(tuple(texts))
