"""Measurements of what a GPU changes, in parts of a few minutes."""
