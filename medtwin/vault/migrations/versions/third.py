"""Records that may be, or are, of one person."""

from collections.abc import Sequence

revision = "3"
down_revision: str | Sequence[str] | None = "2"


def upgrade() -> None:
    """Nothing to move: the new table is made with the others. A store with links is not read by
    a medtwin that knows none, for it would show half of somebody.
    """
