"""Facts know their original, originals when they came, codes how many facts there are."""

from alembic import op
from sqlalchemy import BigInteger, Column, LargeBinary

revision = "2"
down_revision = "1"


def upgrade() -> None:
    """New columns stay empty for what was there; long courses are told shortly when next asked."""
    op.add_column("facts", Column("origin", LargeBinary))
    op.add_column("originals", Column("received", BigInteger))
    op.add_column("vocabulary", Column("facts", BigInteger))
    op.add_column("vocabulary", Column("width", BigInteger))
    op.drop_index("facts_by_time", "facts")
    op.create_index("facts_by_code", "facts", ["patient", "code", "at"])
