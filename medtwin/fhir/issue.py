"""What is wrong with a resource: how badly, of what sort, where, in words."""

from typing import NamedTuple


class Issue(NamedTuple):
    """One finding. `severity` and `code` are those of OperationOutcome, `path` is FHIRPath."""

    severity: str
    code: str
    path: str
    said: str


def error(code: str, path: str, said: str) -> Issue:
    """A finding that makes the resource invalid."""
    return Issue("error", code, path, said)


def warning(code: str, path: str, said: str) -> Issue:
    """A finding worth knowing that leaves it valid."""
    return Issue("warning", code, path, said)


def fatal(code: str, path: str, said: str) -> Issue:
    """A finding after which nothing else could be looked at."""
    return Issue("fatal", code, path, said)
