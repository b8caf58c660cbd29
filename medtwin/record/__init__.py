"""Facts: what is known about one person, when it was true and when we learned it."""
