"""Pages for clinicians and for the person themselves."""
