"""The parts of a patient's page, each a view of its own that can be asked for alone."""
