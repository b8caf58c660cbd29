"""How a store of yesterday becomes one of today, step by step (alembic)."""
