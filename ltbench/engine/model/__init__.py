"""The classifier, its precision, and the features of its encoder."""

from __future__ import annotations
