"""Physiological models: one file each, plain functions over states."""
