"""Predictions for new images: files to read, the prior of a deployment, streams and their files."""

from __future__ import annotations
