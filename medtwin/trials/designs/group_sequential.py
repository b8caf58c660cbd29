"""Two arms, equal allocation, and looks at which a clear answer ends the trial early.

O'Brien & Fleming (1979), Biometrics 35:549; Jennison & Turnbull (2000), ch. 2 and 19.
"""

import numpy as np
from jaxtyping import Integer

from medtwin.trials.boundaries import obrien_fleming
from medtwin.trials.trial import Design, Outcomes, Stopped


def group_sequential(looks: int, per_look: int, alpha: float = 0.05) -> Design:
    """So many equally spaced looks, so many people before each; alpha is two-sided."""
    bounds = obrien_fleming([(k + 1) / looks for k in range(looks)], alpha, sides=2)

    def stop(look: int, seen: Outcomes) -> Stopped | None:
        found, bound = z(seen), bounds[look - 1]
        if abs(found) < bound:
            return None
        return Stopped(look, f"z = {found:.2f} crossed {bound:.2f} at look {look} of {looks}")

    return Design(
        name=f"group sequential, {looks} looks of {per_look}",
        reference="O'Brien & Fleming 1979, Biometrics 35:549",
        blocks=(per_look,) * looks,
        allocate=by_halves,
        stop=stop,
    )


def by_halves(_: Outcomes, people: int, rng: np.random.Generator) -> Integer[np.ndarray, " person"]:
    """Half of each block to each arm, in random order."""
    return rng.permutation(np.arange(people) % 2)


def z(seen: Outcomes) -> float:
    """The second arm's mean minus the first's, in standard errors (unequal variances)."""
    a, b = seen.values()
    error = np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))
    return float((b.mean() - a.mean()) / error)


design = group_sequential(looks=4, per_look=50)
