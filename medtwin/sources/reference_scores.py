"""A reference for polygenic scores: a CSV of people's sums, with their groups or components."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from medtwin.genome.ancestry import (
    Placed,
    TooFew,
    along_components_with_spread,
    within_group,
)


class BadReference(ValueError):
    """The reference cannot be used."""


@dataclass(frozen=True)
class Reference:
    """People whose sums of one score are known: their groups, their principal components."""

    sums: Float[np.ndarray, " person"]
    groups: tuple[str, ...]
    components: Float[np.ndarray, "person component"]

    def placed(self, value: float, group: str, components: list[float] | None) -> Placed | None:
        """Where a sum lies among them, by components if both have them, else by group.

        None where neither is told. Raises `BadReference` if too few are like this person.
        """
        try:
            if components and len(components) == self.components.shape[1]:
                own = np.array(components, dtype=float)
                return along_components_with_spread(value, own, self.sums, self.components)
            if group:
                alike = np.array([g == group for g in self.groups])
                return within_group(value, self.sums[alike], group)
        except TooFew as why:
            raise BadReference(str(why)) from why
        return None


def reference(path: Path) -> Reference:
    """A CSV with `sum`, and `group` or `PC1`, `PC2`... Raises `BadReference`."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = [n for n in (rows[0] if rows else {}) if n.upper().startswith("PC")]
    try:
        sums = np.array([float(r["sum"]) for r in rows])
        components = np.array([[float(r[n]) for n in names] for r in rows])
    except (KeyError, ValueError) as why:
        because = f"{path.name} needs a column sum, and numbers in every PC ({why})"
        raise BadReference(f"{because}; correct it") from why
    shaped = components.reshape(len(rows), len(names))
    return Reference(sums, tuple(r.get("group") or "" for r in rows), shaped)
