"""Times as HL7 v2 and CDA write them: 20260301, 202603010815+0100."""

import re
from datetime import UTC, timedelta, timezone, tzinfo

from medtwin.sources.zones import zone_or_none

WHEN = re.compile(
    r"(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d(?:\.\d+)?))?)?)?)?)?([+-]\d{4})?"
)


def moment(text: str) -> str:
    """DTM as FHIR writes times, as exactly as it was sent; what is no time stays as it is."""
    found = WHEN.fullmatch(text.strip())
    if not found:
        return text
    year, month, day, hour, minute, second, zone = found.groups()
    date = "-".join(p for p in (year, month, day) if p)
    if hour is None:
        return date
    offset = f"{zone[:3]}:{zone[3:]}" if zone else ""
    return f"{date}T{hour}:{minute or '00'}:{second or '00'}{offset}"


def zone(text: str, otherwise: str | None) -> tzinfo:
    """The zone of naive times: that of this time, the sender's own, else the one named, or UTC."""
    found = re.search(r"([+-])(\d\d)(\d\d)$", text)
    if not found or int(found[2]) > 14:
        return zone_or_none(otherwise) or UTC
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-offset if found[1] == "-" else offset)
