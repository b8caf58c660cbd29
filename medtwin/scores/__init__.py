"""Published risk scores: one file each."""
