"""Beliefs that go on in time: each filter is an `init` and a `step`, and nothing else."""
