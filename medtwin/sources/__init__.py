"""Data sources: each file turns one kind of bytes into facts, and says what it refused."""
