"""Who is who: whether two descriptions are of one person, with the odds and the reasons."""
