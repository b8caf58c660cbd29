"""The store as it was before it had versions."""

from collections.abc import Sequence

revision = "1"
down_revision: str | Sequence[str] | None = None


def upgrade() -> None:
    """Nothing: a store without a version is this one."""
