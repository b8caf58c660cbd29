"""Learned predictors that stand beside the mechanism, never in its place."""
