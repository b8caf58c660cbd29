"""How a drug gets into the blood: what waits, what is being absorbed, what drips in.

Three parts are shared by every compartment model. `depot` (mg) empties into the blood at the
rate constant `ka`. A dose that has just been swallowed is `waiting` until its `wait` is over
(the lag time), then empties like the depot. A drip runs straight into the blood.

Closed forms of first-order kinetics hold differences such as (e^-kt - e^-at) / (a - k), which
lose all digits where the two rates are alike ("flip-flop"). `shrinking` and `meeting` are the
same numbers without that loss.
"""

from typing import Any

from medtwin.maths.functions import exp, greatest, least, positive, where


def shrinking(z: Any) -> Any:
    """(1 - e^-z) / z for z of 0 or more: 1 at 0, falling to 0, exact also where z is tiny."""
    near = 1.0 - z / 2.0 * (1.0 - z / 3.0 * (1.0 - z / 4.0 * (1.0 - z / 5.0 * (1.0 - z / 6.0))))
    far = (1.0 - exp(-z)) / where(z > 0.01, z, 1.0)
    return where(z > 0.01, far, near)


def meeting(a: Any, b: Any, t: Any) -> Any:
    """What is left after `t` of a unit that arrives at rate constant `b` and leaves at `a`,
    over `b`: the integral of e^-a(t-s) e^-bs over s, also where a and b are equal."""
    return t * exp(-least(a, b) * t) * shrinking((greatest(a, b) - least(a, b)) * t)


def open_time(wait: Any, dt: Any) -> Any:
    """How long of `dt` a waiting dose has been absorbed."""
    return positive(dt - positive(wait))


def arrived(k: Any, dt: Any, depot: Any, waiting: Any, wait: Any, ka: Any, drip: Any) -> Any:
    """What has come into the blood within `dt` and is still there, where blood empties at `k`.

    `drip` is a constant rate (mg/h).
    """
    absorbing = depot * meeting(k, ka, dt) + waiting * meeting(k, ka, open_time(wait, dt))
    return ka * absorbing + drip * dt * shrinking(k * dt)


def swallowed(depot: Any, waiting: Any, wait: Any, dose: Any, lag: Any) -> tuple[Any, ...]:
    """Depot, waiting dose and its wait after another dose (mg that will reach the blood).

    What waits no longer joins the depot. A dose within the lag time of the one before waits
    with it, for the mean of the two waits, weighted by amount.
    """
    still = where(wait > 0.0, waiting, 0.0)
    total = still + dose
    longer = (still * wait + dose * lag) / where(total > 0.0, total, 1.0)
    return depot + (waiting - still), total, longer
