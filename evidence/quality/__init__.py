"""How good the glucose twin is where little is known, and where the truth is."""
