"""Measurements of what precedes a run: commands, the first training step, imports of a worker."""
