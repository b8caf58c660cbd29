"""What people do about what the twin says: the round and its alerts."""
