"""What a forecast stands on, said where that is thin."""

from datetime import datetime

from medtwin.record import codes
from medtwin.record.record import Record, moment

day = 86400.0
enough = 12


def thin(record: Record, now: datetime) -> tuple[str, ...]:
    """Why this person's glucose forecast made at `now` deserves little trust; empty where it does.

    The living model was made from, and held against, sensors read every few minutes in people
    with type 1 diabetes. `record` is what may be looked at: as known by then, in a back-test.
    """
    seen = record[codes.glucose].current
    seen = seen.keep(seen.at <= now.timestamp())
    reasons = []
    recent = int((seen.at > now.timestamp() - day).sum())
    if recent < enough:
        last = f"the last on {moment(seen.at[-1]):%d %B %Y}" if len(seen) else "none ever"
        reasons.append(
            f"{recent} glucose readings in the day before it ({last}); {enough} are wanted"
        )
    if not (len(record[codes.insulin_bolus]) or len(record[codes.insulin_basal])):
        reasons.append("no insulin in the record; the model is of people with type 1 diabetes")
    return tuple(reasons)
