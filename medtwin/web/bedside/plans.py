"""What-if for one person: the plans asked for, each against doing nothing more."""

from dataclasses import dataclass
from datetime import timedelta

from medtwin.record import codes
from medtwin.twin.forecast import compare
from medtwin.vault.access import Action, Refused
from medtwin.vault.consent import Purpose
from medtwin.web.bedside.ahead import AHEAD, Closed
from medtwin.web.page import Visit
from medtwin.web.trouble import wrong_value
from medtwin.web.twins import NoTwin, looked_ahead, times, twin_of
from medtwin.web.views.plans import LIMITS, MOST, Comparison, Plan, compared, parsed


@dataclass(frozen=True)
class WhatIf:
    """The what-if panel: the plan on the sliders, those pinned, and what they would change."""

    patient: str
    plan: Plan
    pinned: tuple[Plan, ...]
    comparison: Comparison | None
    closed: Closed | None
    full: bool
    limits: dict[str, tuple[float, float]]


def what_if(visit: Visit) -> WhatIf:
    """The plans asked for, each against doing nothing more, for the same body and chance."""
    asked = [parsed(key) for key in visit.asked.get("plan", ())]
    if len(asked) > MOST:
        raise wrong_value("plan", f"{len(asked)} plans", f"up to {MOST} pinned plans")
    plan = Plan(*(visit.number(name, 0.0, *limits) for name, limits in LIMITS.items()))
    pinned = tuple(dict.fromkeys(asked))
    pins = visit.one("pin") == "1" and not plan.empty and plan not in pinned
    if pins and len(pinned) < MOST:
        pinned = (*pinned, plan)
    full = len(pinned) == MOST and plan not in pinned and not plan.empty
    tried = pinned if full or plan.empty or plan in pinned else (plan, *pinned)
    comparison = None
    try:
        comparison = _compared(visit, tried, pinned) if tried else None
        closed = None if tried else forbidden(visit)
    except Refused as refused:
        closed = Closed(refused.decision.because, consent=True)
    except NoTwin as none:
        closed = Closed(str(none), consent=False)
    return WhatIf(visit.patient, plan, pinned, comparison, closed, full, LIMITS)


def forbidden(visit: Visit) -> Closed | None:
    """Why nothing may be computed, before anybody tries."""
    decision = visit.vault.decide(visit.who, Action.read, visit.patient, Purpose.twin)
    return None if decision.allowed else Closed(decision.because, consent=True)


def _compared(visit: Visit, tried: tuple[Plan, ...], pinned: tuple[Plan, ...]) -> Comparison:
    twin = twin_of(visit, visit.patient)
    base = looked_ahead(visit, twin, AHEAD)
    when = times(twin, visit.now, AHEAD)
    start = when[0] - timedelta(minutes=5)
    each = [
        (plan, compare(twin, codes.glucose, when, (), plan.observations(start)), plan in pinned)
        for plan in tried
    ]
    return compared(base, each, visit.region, visit.now)
