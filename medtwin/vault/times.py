"""Moments as whole UTC microseconds: exact in the store, exact on the way back."""

from datetime import UTC, datetime, timedelta

epoch = datetime(1970, 1, 1, tzinfo=UTC)
microsecond = timedelta(microseconds=1)


def micros(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - epoch) // microsecond


def moment(at: int) -> datetime:
    """The aware UTC time."""
    return epoch + timedelta(microseconds=at)


def moment_or_none(at: int | None) -> datetime | None:
    """The time, where there is one."""
    return None if at is None else moment(at)
