"""The six tests of a twin, for medtwin's own or for any other system's through an adapter."""
