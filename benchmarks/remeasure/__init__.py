"""Measures everything that pages of this repository quote, and writes it there."""
